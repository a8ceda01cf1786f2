"""Reading a message's texts with every list of a policy: fold once for lists that fold alike, match, weigh the matches.

A text without any hit is the common one: it costs one fold for each set of switches and one call for each list, and
gives back the same empty ``Scan`` every time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from filters.lists.patterns import PatternList
from filters.lists.wordlist import WeighBound, WordList, with_signed
from filters.model.verdict import NOTHING, Hit, Scan
from filters.text.fingerprint import fingerprint
from filters.text.folding import AGAIN, FOLDED_MAX, TEXT_MAX, FoldBound, Folded, Folder, first_reading, folder
from filters.text.markup import SIGNS, Markup, Plain, is_marked, unmarked
from filters.text.spans import merged
from filters.text.tables import WORDS, FoldTables

AnyList = WordList | PatternList

NO_HIT: Final = Scan()

# What NamedTuple's own constructor does, without its frame.
_new: Final = tuple.__new__


class Bounds(NamedTuple):
    """``text``: code points of one text as it came; ``folded``: after folding, which can lengthen it. A breach of
    either fails the lists that read it with ``fold.bound``; a list whose words lie too thick in it (``WEIGHED_MAX``)
    fails with ``match.bound``. ``hits``: of one list in one text, see ``filters.text.spans.bounded``."""

    text: int = TEXT_MAX
    folded: int = FOLDED_MAX
    hits: int = 64


class _Group(NamedTuple):
    """Lists that read one text: folded by ``folder``, or as it came where that is None."""

    folder: Folder | None
    lists: tuple[AnyList, ...]
    prints: bool = False


class Scanner:
    """Immutable; a reload builds another one (law 9). Lists of one scanner have different names."""

    __slots__ = (
        "_bounds", "_fingerprint", "_groups", "_keeps", "_markup", "_only", "_reader", "_watched", "lists", "tables",
    )  # fmt: skip

    def __init__(
        self,
        lists: Sequence[AnyList],
        fingerprint: bool = False,
        bounds: Bounds = Bounds(),  # noqa: B008  # a tuple cannot be changed
        tables: FoldTables | None = None,
        markup: Markup = "off",
    ) -> None:
        """``tables`` are needed only where a fingerprint is asked for without any list. ``markup``: what the platform
        undoes before people read a text; lists whose switches say so read it as it came."""
        names = [each.name for each in lists]
        if len(set(names)) != len(names):
            raise ValueError(f"two lists of one name among {', '.join(sorted(names))}")
        self.lists = tuple(lists)
        self.tables = tables or (lists[0].tables if lists else None)
        self._bounds = bounds
        self._fingerprint = fingerprint
        self._markup: Markup = markup
        # Which signs mean more work than folding: none, HTML's (a fingerprint is of the text without it), Markdown's.
        self._watched = 2 if markup == "markdown" else 1 if markup == "html" or fingerprint else 0
        grouped: dict[Folder | None, list[AnyList]] = {}
        for each in with_signed(lists):
            grouped.setdefault(None if isinstance(each, PatternList) and each.match_raw else each.folder, []).append(
                each
            )
        prints = None
        if fingerprint:
            if self.tables is None:
                raise ValueError("a fingerprint without lists needs the folding tables")
            prints = folder(self.tables, WORDS)
            grouped.setdefault(prints, [])
        self._groups = tuple(
            _Group(key, tuple(members), key is not None and key is prints) for key, members in grouped.items()
        )
        for group in self._groups:
            if group.folder is not None:
                group.folder.prepare()
        # The calls of the one group of word lists that nearly every policy has, or None for another shape.
        self._only = None
        self._reader: Folder | None = None  # of that one group
        self._keeps = True  # can a text with the signs of markup come out of the fold as it was?
        if len(self._groups) == 1 and self._groups[0].folder is not None:
            self._only = tuple(each.find for each in self._groups[0].lists)
            self._reader = self._groups[0].folder
            self._keeps = any(map(self._reader.single, SIGNS))

    def scan(self, texts: tuple[str, ...]) -> Scan:
        """Total: a text that cannot be read fails its lists (``Scan.failed``), it raises nothing."""
        finds = self._only
        reader = self._reader
        if reader is not None and finds is not None and len(texts) == 1:
            text = texts[0]
            bounds = self._bounds
            if len(text) <= bounds.text:
                try:
                    folded = reader.text(text, bounds.folded)
                except FoldBound:
                    return self._scan(texts)
                watched = self._watched
                if (
                    watched
                    and (folded is not text or self._keeps)
                    and ("&" in text or "<" in text or (watched == 2 and is_marked(text, "markdown")))
                ):
                    return self._scan(texts)
                for find in finds:
                    if find(folded):
                        return self._scan(texts)
                if self._fingerprint:
                    if folded is not text and AGAIN in folded:
                        folded = first_reading(folded)
                    return _new(Scan, (NOTHING, NOTHING, fingerprint(folded), len(folded), NOTHING))
                return NO_HIT
        return self._scan(texts)

    def _printed(self, text: str, folded: Folded) -> str:
        """What a fingerprint is of, on whichever route ``text`` came, so that a takedown knows its copies again.
        Raises ``FoldBound``."""
        plain = unmarked(text, "html")
        source = text if plain is None else (plain.shown or plain.seen).text
        if source != folded.original:
            folded = folded.folder.fold(source, self._bounds.folded)
        return first_reading(folded.text)

    def _scan(self, texts: tuple[str, ...]) -> Scan:
        hits: dict[str, tuple[Hit, ...]] = {}
        failed: dict[str, str] = {}
        prints: list[str] = []
        bounds = self._bounds
        shown = [unmarked(text, self._markup) if len(text) <= bounds.text else None for text in texts]
        for reader, lists, is_print in self._groups:
            for field, text in enumerate(texts):
                undone = shown[field] if reader is not None and reader.switches.markup else None
                for part in (None,) if undone is None else undone.parts:
                    try:
                        if len(text) > bounds.text:
                            raise FoldBound(bounds.text)
                        folded: Folded | str = text if part is None else part.text
                        if reader is not None:
                            folded = reader.fold(text if part is None else part.text, bounds.folded)
                        if is_print and (undone is None or part is undone.seen):
                            assert isinstance(folded, Folded)
                            prints.append(self._printed(text, folded))
                    except FoldBound:
                        failed.update({each.name: "fold.bound" for each in lists})
                        continue
                    for each in lists:
                        found = each.find(folded if isinstance(folded, str) else folded.text)
                        try:
                            told = each.hits(folded, found, field, bounds.hits) if found else ()  # type: ignore[arg-type]
                        except WeighBound:
                            failed[each.name] = "match.bound"
                            continue
                        if told:
                            hits[each.name] = _joined(hits.get(each.name, ()), _in_original(told, part), field)
        if not hits and not failed and not self._fingerprint:
            return NO_HIT
        # Fields are told apart: "ab" and "c" are not "a" and "bc". Nothing that folds to nothing has a fingerprint.
        whole = "\n".join(prints) if any(prints) else ""
        nothing: Mapping[str, str] = NO_HIT.failed
        return Scan(hits or NO_HIT.hits, failed or nothing, fingerprint(whole), sum(map(len, prints)))


def _joined(before: tuple[Hit, ...], found: tuple[Hit, ...], field: int) -> tuple[Hit, ...]:
    """Of the several readings of one text, a word is told once, with the spans of all."""
    if not before:
        return found
    known = {hit.word_id: place for place, hit in enumerate(before) if hit.field == field}
    told = [*before]
    for hit in found:
        place = known.get(hit.word_id)
        if place is None:
            told.append(hit)
        else:
            told[place] = told[place]._replace(spans=merged((*told[place].spans, *hit.spans)))
    return tuple(told)


def _in_original(hits: tuple[Hit, ...], part: Plain | None) -> tuple[Hit, ...]:
    """With the spans that the words have where their markup is still there."""
    if part is None:
        return hits
    return tuple(
        [hit._replace(spans=merged(span for where in hit.spans for span in part.spans(*where))) for hit in hits]
    )
