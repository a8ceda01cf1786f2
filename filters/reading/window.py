"""A word split over several messages: what was said last in one place, read as one text.

Two windows, each bounded by time and by length (``[lists] window`` and ``window_length``): of one person in one room,
and, where a policy has the check ``crowd``, of everybody in one room. How many messages it takes does not count: a word
of four characters may come in four. Messages that contribute nothing (``is_filler``) are skipped, and read as well: a
word that holds ``哈`` is found split at it. Only what was shown counts: a refused message is no part of the text, a
masked one is part of it as it was masked. Of what is found only the newest message can still be stopped: the spans
of a hit are that message's part, and ``Hit.messages`` says how many were read as one.

Words of three letters and fewer stand across the border of innocent messages easily (``路口`` / ``交通``). They are
found only where a whole message lies within them: ``赌`` / ``博``, ``你个傻`` / ``瓜``.
"""

from __future__ import annotations

import re
import unicodedata
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, NamedTuple

from filters.lists.patterns import PatternList
from filters.lists.wordlist import WeighBound, with_signed
from filters.model.verdict import Hit, Scan
from filters.reading.keywords import AnyList, Bounds
from filters.text.folding import FoldBound
from filters.text.markup import Markup, Plain, Unmarked, unmarked
from filters.text.spans import merged

Texts = tuple[str, ...]
"""The texts of one message, in the order of its fields."""

PEOPLE: Final = 16_384
ROOMS: Final = 4_096
SHORT: Final = 3  # letters and digits of a word that is found across a border only with a whole message in it

_LINES: Final = "\n"  # around a message stand the lines of its own blocks, which part it from nothing
_FILLER_MAX: Final = 64  # code points; what is longer contributes something
# Laughter and sighs as NFKC leaves them: 哈哈哈, 666, 233, hahaha, lol, ㅋㅋ, ㅠㅠ, ههه, хаха, www.
_laughter: Final = re.compile(
    "[哈呵嘿嘻啊哦噢喔嗯呃额哎唉诶欸哇呀嗷笑]+|6+|23+|8+|1+|a?(?:h[aei]+)+h?|h[hm]+|hm+|lo+l|lm+ao+|xd+|w+|\u110f+|[\u1112\u1172\u116e]+|ه+"
    "|а?(?:х[ае]+)+х?"
).fullmatch


class Window(NamedTuple):
    """How far back is read: ``within`` in microseconds, ``length`` in code points of the texts that contribute."""

    within: int = 15_000_000
    length: int = 64


class Shown(NamedTuple):
    """A message that was shown. ``at``: received, in microseconds."""

    at: int
    texts: Texts
    filler: bool


def is_filler(texts: Texts) -> bool:
    """Does a message contribute nothing: no letter and no digit in it (emoji, marks), or laughter and sighs only?"""
    for text in texts:
        if len(text) > _FILLER_MAX:
            return False
        left = "".join([char for char in unicodedata.normalize("NFKC", text).casefold() if char.isalnum()])
        if left and _laughter(left) is None:
            return False
    return True


class Recent:
    """What was said last, by any key; bounded, the longest silent are forgotten first. Lives in one thread.

    A person holds at most twice the window's length: what contributes, and fillers, are counted apart.
    """

    __slots__ = ("_most", "_said")

    def __init__(self, most: int = PEOPLE) -> None:
        self._most = most
        self._said: OrderedDict[tuple[str, ...], tuple[Shown, ...]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._said)

    def before(self, key: tuple[str, ...]) -> tuple[Shown, ...]:
        """The messages before this one, oldest first; ``within`` says which of them count."""
        return self._said.get(key, ())

    def add(self, key: tuple[str, ...], texts: Texts, now_us: int, window: Window) -> None:
        """A message was shown."""
        if not any(texts):
            return
        newest = Shown(now_us, texts, is_filler(texts))
        said = self._said
        said[key] = tuple(within((*said.get(key, ()), newest), now_us, window))
        said.move_to_end(key)
        if len(said) > self._most:
            said.popitem(last=False)


def within(said: Sequence[Shown], now_us: int, window: Window) -> list[Shown]:
    """Those of the messages that a window reaches, oldest first; the oldest of them may be cut."""
    kept: list[Shown] = []
    room = fillers = window.length
    for one in reversed(said):
        if now_us - one.at > window.within or room <= 0:
            break
        left = fillers if one.filler else room
        if left <= 0:
            continue
        texts = tuple([text[-left:] for text in one.texts])
        size = max(map(len, texts), default=0)
        if one.filler:
            fillers -= size
        else:
            room -= size
        kept.append(Shown(one.at, texts, one.filler))
    kept.reverse()
    return kept


class Consecutive:
    """The lists of a policy that read several messages as one. ``reach``: the farthest that any of them looks back.

    Immutable; a reload builds another one (law 9).
    """

    __slots__ = ("_bounds", "_lists", "_markup", "reach")

    def __init__(self, lists: Sequence[tuple[AnyList, Window]], bounds: Bounds, markup: Markup = "off") -> None:
        """``markup``: what is undone in each message by itself before they are joined."""
        self._lists = tuple([(half, window) for each, window in lists for half in with_signed([each])])
        self._bounds = bounds
        self._markup: Markup = markup
        windows = [window for _, window in lists]
        self.reach = Window(max(window.within for window in windows), max(window.length for window in windows))

    def read(self, before: Sequence[Shown], texts: Texts, scan: Scan, now_us: int) -> Scan:
        """``scan`` of ``texts``, with what they complete of the messages ``before`` them (oldest first).

        Total, as ``Scanner.scan`` is: a joined text that cannot be read fails its list.
        """
        if not before:
            return scan
        hits = dict(scan.hits)
        failed = dict(scan.failed)
        for words, window in self._lists:
            said = within(before, now_us, window)
            undoes = self._markup != "off" and words.switches.markup and not _is_raw(words)
            telling = [one for one in said if not (one.filler or (undoes and self._fills(one.texts)))]
            for field, text in enumerate(texts):
                # With fillers and without: a word may hold one.
                for earlier in (said, telling) if len(telling) < len(said) else (said,):
                    pieces = [one.texts[field] for one in earlier if field < len(one.texts) and one.texts[field]]
                    if not pieces or not text or words.name in failed:
                        continue
                    known = {hit.word_id for hit in hits.get(words.name, ())}
                    try:
                        if undoes:
                            found = self._undone(words, pieces, text, field)
                        else:
                            found = self._across(words, pieces, text, field)
                    except FoldBound:
                        failed[words.name] = "fold.bound"
                        continue
                    except WeighBound:
                        failed[words.name] = "match.bound"
                        continue
                    new = tuple([hit for hit in found if hit.word_id not in known])
                    if new:
                        hits[words.name] = hits.get(words.name, ()) + new
        if len(hits) == len(scan.hits) and len(failed) == len(scan.failed) and hits == scan.hits:
            return scan
        return scan._replace(hits=hits, failed=failed)

    def _fills(self, texts: Texts) -> bool:
        """Is it a filler once its markup is undone?"""
        undone = [unmarked(text, self._markup) for text in texts]
        if not any(undone):
            return False
        return is_filler(
            tuple([text if each is None else each.seen.text for text, each in zip(texts, undone, strict=True)])
        )

    def _undone(self, words: AnyList, pieces: list[str], text: str, field: int) -> list[Hit]:
        """``_across`` of what is seen of the messages, in both ways where there are two."""
        undone = [unmarked(piece, self._markup) for piece in pieces]
        last = unmarked(text, self._markup)
        found = self._of_plain(words, pieces, undone, text, last, field, False)
        if any(each is not None and each.shown is not None for each in (*undone, last)):
            known = {hit.word_id for hit in found}
            more = self._of_plain(words, pieces, undone, text, last, field, True)
            found += [hit for hit in more if hit.word_id not in known]
        return found

    def _of_plain(
        self, words: AnyList, pieces: list[str], undone: list[Unmarked | None], text: str, last: Unmarked | None,
        field: int, shown: bool,
    ) -> list[Hit]:  # fmt: skip
        earlier = [
            piece if each is None else _part(each, shown).text.strip(_LINES)
            for piece, each in zip(pieces, undone, strict=True)
        ]
        if last is None:
            return self._across(words, [piece for piece in earlier if piece], text, field)
        part = _part(last, shown)
        newest = part.text.lstrip(_LINES)
        before = len(part.text) - len(newest)
        told = []
        for hit in self._across(words, [piece for piece in earlier if piece], newest.rstrip(_LINES), field):
            places = [part.spans(start + before, end + before) for start, end in hit.spans]
            if spans := merged(span for where in places for span in where):
                told.append(hit._replace(spans=spans))
        return told

    def _across(self, words: AnyList, pieces: list[str], text: str, field: int) -> list[Hit]:
        """Hits that need both; their spans are those within ``text``."""
        joined = "".join(pieces) + text
        folded = joined if _is_raw(words) else words.folder.fold(joined, self._bounds.folded)
        found = words.find(folded if isinstance(folded, str) else folded.text)
        if not found:
            return []
        border = len(joined) - len(text)
        across = []
        for hit in words.hits(folded, found, field, self._bounds.hits):  # type: ignore[arg-type]
            whole = [(start, end) for start, end in hit.spans if _stands(joined, pieces, start, end)]
            spans = tuple([(max(start, border) - border, end - border) for start, end in whole if end > border])
            if spans and whole[0][0] < border:
                across.append(hit._replace(spans=spans, messages=len(pieces) + 1))
        return across


def _is_raw(words: AnyList) -> bool:
    return isinstance(words, PatternList) and words.match_raw


def _part(undone: Unmarked, shown: bool) -> Plain:
    return undone.shown if shown and undone.shown is not None else undone.seen


def _stands(joined: str, pieces: list[str], start: int, end: int) -> bool:
    """May what lies between ``start`` and ``end`` be a word, where messages end within it?"""
    if sum([char.isalnum() for char in joined[start:end]]) > SHORT:
        return True
    borders = [0]
    for piece in pieces:
        borders.append(borders[-1] + len(piece))
    borders.append(len(joined))
    crossed = [border for border in borders if start < border < end]
    if len(crossed) != 1:
        return True  # none, or a whole message between two
    first = max([border for border in borders if border <= start])
    last = min([border for border in borders if border >= end])
    before, behind = joined[first:start], joined[end:last]
    return not any(map(str.isalnum, before)) or not any(map(str.isalnum, behind))
