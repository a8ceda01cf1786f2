"""A word split over consecutive messages: what one person said last in one place, read as one text.

Lists ask for it (``consecutive = 3`` reads three messages together). Only what was shown counts: a refused message is
no part of the text, a masked one is part of it as it was masked. What is found stands in several messages, of which
only the newest can still be stopped: the hit's spans are the newest message's part, and ``Hit.messages`` says how many
were read as one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from filters.lists.patterns import PatternList
from filters.model.verdict import Hit, Scan
from filters.reading.keywords import AnyList, Bounds
from filters.text.folding import FoldBound

Texts = tuple[str, ...]
"""The texts of one message, in the order of its fields."""

KEPT: int = 256
"""Code points of all remembered texts of one person in one place; a split word has no longer way to go."""
WITHIN_US: int = 300_000_000
"""Microseconds after which what was said before is a matter of its own."""
PEOPLE: int = 16_384


class _Said(NamedTuple):
    """``at``: when the newest was received, in microseconds. ``texts``: oldest first."""

    at: int
    texts: tuple[Texts, ...]


class Recent:
    """What people said last, by any key; bounded, the longest silent are forgotten first. Lives in one thread."""

    __slots__ = ("_most", "_said")

    def __init__(self, most: int = PEOPLE) -> None:
        self._most = most
        self._said: OrderedDict[tuple[str, ...], _Said] = OrderedDict()

    def __len__(self) -> int:
        return len(self._said)

    def before(self, key: tuple[str, ...], now_us: int) -> tuple[Texts, ...]:
        """The messages before this one, oldest first."""
        said = self._said.get(key)
        return said.texts if said is not None and now_us - said.at <= WITHIN_US else ()

    def add(self, key: tuple[str, ...], texts: Texts, now_us: int, most: int) -> None:
        """A message was shown; of it and those before it the newest ``most`` stay, and of them the last ``KEPT``."""
        kept: list[Texts] = []
        room = KEPT
        for earlier in reversed((*self.before(key, now_us), texts)):
            if len(kept) == most or room <= 0:
                break
            cut = tuple(text[-room:] for text in earlier)
            room -= max(map(len, cut), default=0)
            kept.append(cut)
        said = self._said
        said[key] = _Said(now_us, tuple(reversed(kept)))
        said.move_to_end(key)
        if len(said) > self._most:
            said.popitem(last=False)


class Consecutive:
    """The lists of a policy that read several messages as one. ``reach``: the most messages that any of them reads.

    Immutable; a reload builds another one (law 9).
    """

    __slots__ = ("_bounds", "_lists", "reach")

    def __init__(self, lists: Sequence[tuple[AnyList, int]], bounds: Bounds) -> None:
        """``lists``: each with the number of messages it reads as one, two at least."""
        self._lists = tuple(lists)
        self._bounds = bounds
        self.reach = max(reach for _, reach in lists)

    def read(self, before: Sequence[Texts], texts: Texts, scan: Scan) -> Scan:
        """``scan`` of ``texts``, with what they complete of the messages ``before`` them (oldest first).

        Total, as ``Scanner.scan`` is: a joined text that cannot be read fails its list.
        """
        if not before:
            return scan
        hits = dict(scan.hits)
        failed = dict(scan.failed)
        for words, reach in self._lists:
            earlier = before[-(reach - 1) :]
            known = {hit.word_id for hit in hits.get(words.name, ())}
            for field, text in enumerate(texts):
                prefix = "".join([one[field] for one in earlier if field < len(one)])
                if not prefix or not text or words.name in failed:
                    continue
                try:
                    found = self._across(words, prefix, text, field)
                except FoldBound:
                    failed[words.name] = "fold.bound"
                    continue
                new = tuple(hit._replace(messages=len(earlier) + 1) for hit in found if hit.word_id not in known)
                if new:
                    hits[words.name] = hits.get(words.name, ()) + new
        if len(hits) == len(scan.hits) and len(failed) == len(scan.failed) and hits == scan.hits:
            return scan
        return scan._replace(hits=hits, failed=failed)

    def _across(self, words: AnyList, prefix: str, text: str, field: int) -> list[Hit]:
        """Hits that need both; their spans are those within ``text``."""
        joined = prefix + text
        raw = isinstance(words, PatternList) and words.match_raw
        folded = joined if raw else words.folder.fold(joined, self._bounds.folded)
        found = words.find(folded if isinstance(folded, str) else folded.text)
        if not found:
            return []
        border = len(prefix)
        across = []
        for hit in words.hits(folded, found, field, self._bounds.hits):  # type: ignore[arg-type]
            spans = tuple((max(start, border) - border, end - border) for start, end in hit.spans if end > border)
            if spans and hit.spans[0][0] < border:
                across.append(hit._replace(spans=spans))
        return across
