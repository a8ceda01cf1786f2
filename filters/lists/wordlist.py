"""Word lists: compiled to an artifact, loaded from it, and asked what their matches mean.

Rows (``filters.lists.rows``) and words lie in flat arrays. The text of a word is read only after it was found, to
decide what the folded text cannot tell: whether it stands there (``filters.lists.standing``).
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from filters.lists import matcher, standing
from filters.lists.allowances import Allowance, allowances
from filters.lists.artifact import FORMAT, Artifact, ArtifactError, pack
from filters.lists.inserted import thinned
from filters.lists.listsource import Entry, ListProblem, ParsedList, parse
from filters.lists.patterns import PatternList, compile_patterns
from filters.lists.reasons import ALLOWED, NUMERAL, OTHER_SCRIPT
from filters.lists.rows import ALLOW, KIND, NUMBERS, PART, REFUSED, WHOLE, WORD, Rows
from filters.lists.shape import Shape
from filters.lists.signed import parted
from filters.lists.standing import Placed
from filters.lists.strictness import EXACT, Strictness
from filters.model.errors import TidegateError
from filters.model.verdict import Hit
from filters.text.folding import Folded, folder
from filters.text.likeness import passes_for
from filters.text.numerals import stand_for
from filters.text.spans import Allowed, Span, bounded, merged
from filters.text.tables import FoldTables, Switches

__all__ = ["Compiled", "WordList", "compile_list", "list_digest", "load", "of_words", "parse"]

_ID_BITS = (
    52  # exact in JSON numbers; a million words collide with a chance of one in ten thousand, and then step aside
)
_SEPARATOR = " & "
_JOINED = 10_000  # lines of a digest at once


class Compiled(NamedTuple):
    """``data`` is the artifact; ``digest`` names content, folding tables and folding version (hexadecimal SHA-256).
    ``allowances``: what each allow phrase excuses; nothing is said of those of patterns."""

    data: bytes
    digest: str
    entries: int
    notices: tuple[ListProblem, ...] = ()
    allowances: tuple[Allowance, ...] = ()


def compile_list(
    parsed: ParsedList, tables: FoldTables, *, ids: Mapping[str, int] | None = None, digest: str = "", engine: str = ""
) -> Compiled:
    """Fold every word as texts are folded and build what is loaded later. Raises ``ListErrors``.

    ``ids`` gives word ids, by the words as they are written, instead of those drawn from the words themselves, which
    stay the same when lines move. ``digest``: the list's, where the caller knows it. ``engine``: as ``matcher.chosen``
    tells it, the preferred one if empty.
    Takes half a minute and 1.8 GB for a million words: run it in a process of its own.
    """
    digest = digest or list_digest(parsed, tables)
    engine = engine or matcher.chosen()
    if parsed.kind == "patterns":
        data = compile_patterns(parsed, tables, digest)
        return Compiled(data, digest, len(parsed.entries), parsed.told())
    parsed, halves, excusing = _folded(parsed, tables)
    data = b""
    for half, rows in reversed(halves):
        data = _packed(half, rows, tables, digest, engine, ids, {"signed": data} if data else {})
    entries = len({entry.line for _, rows in halves for entry in rows.kept})
    return Compiled(data, digest, entries, parsed.told(), excusing)


def notices_of(parsed: ParsedList, tables: FoldTables) -> tuple[ListProblem, ...]:
    """What compiling the list would tell besides; of a list that compiles."""
    return parsed.told() if parsed.kind == "patterns" else _folded(parsed, tables)[0].told()


def _folded(
    parsed: ParsedList, tables: FoldTables
) -> tuple[ParsedList, list[tuple[ParsedList, Rows]], tuple[Allowance, ...]]:
    """The list with all that is to be told of it, the one or two lists that it is compiled as, folded, and what its
    allow phrases excuse. Raises ``ListErrors``."""
    parsed = replace(parsed, notices=[*parsed.notices])
    halves = [(half, Rows(half, folder(tables, half.switches))) for half in parted(parsed, tables)]
    for _, rows in halves:
        for notice in rows.notices:
            parsed.note(*notice)
    excusing = allowances([rows for _, rows in halves])
    for line, phrase, excuses in excusing:
        if not excuses:
            parsed.note(line, f"@allow {phrase} excuses no word of this list", "take it out, or see to the word")
    return parsed, halves, excusing


def _packed(
    parsed: ParsedList,
    rows: Rows,
    tables: FoldTables,
    digest: str,
    engine: str,
    ids: Mapping[str, int] | None,
    more: Mapping[str, bytes],
) -> bytes:
    """The artifact of a list, with further sections."""
    drawn = _ids(rows.kept) if ids is None else [ids[entry.source] for entry in rows.kept]
    numbered = sorted(zip(drawn, range(len(rows.kept)), strict=True))
    place = array("I", bytes(4 * len(numbered)))
    for new, (_, old) in enumerate(numbered):
        place[old] = new
    words = [rows.kept[old] for _, old in numbered]
    categories = sorted({entry.category for entry in words})
    number = {name: index for index, name in enumerate(categories)}
    sources = [entry.source.encode("utf-8", "surrogatepass") for entry in words]
    offsets = array("I", accumulate(map(len, sources), initial=0))
    header = {
        "kind": "words",
        "name": parsed.name,
        "digest": digest,
        "tables": tables.digest,
        "engine": engine,
        "switches": parsed.switches.as_dict(),
        "categories": categories,
        "words": len(words),
        "rows": len(rows.texts),
        "strict": rows.stricts,
    }
    sections = {
        "ids": array("Q", [word_id for word_id, _ in numbered]).tobytes(),
        "offsets": offsets.tobytes(),
        "row_words": array("I", [place[word] for word in rows.words]).tobytes(),
        "categories": array("H", [number[entry.category] for entry in words]).tobytes(),
        "severities": bytes(entry.severity for entry in words),
        "needs": bytes(len(entry.parts) for entry in words),
        "row_flags": bytes(rows.flags),
        "row_parts": bytes(rows.parts),
        "row_strict": bytes(rows.strict),
        "sources": b"".join(sources),
        "automaton": matcher.compiled(rows.texts, engine),
        **more,
    }
    return pack(header, sections)


def load(
    buffer: bytes | memoryview, tables: FoldTables, *, automaton: bytes | None = None, check: bool = True
) -> WordList | PatternList:
    """A list from its artifact; the arrays stay where they lie, in a file map for example.

    ``automaton`` is that section as bytes where the caller has read it already (see ``gateway.words.files``), so that
    it is not copied with the interpreter's lock held. Raises ``ArtifactError``.
    """
    artifact = Artifact(buffer, check=check, given=None if automaton is None else {"automaton": automaton})
    header = artifact.header
    if header["tables"] != tables.digest:
        raise ArtifactError("compiled with other folding tables; compile the list again")
    if header["kind"] == "patterns":
        return PatternList(artifact, tables)
    engine = header["engine"]
    if not matcher.installed(engine):
        raise ArtifactError(f"compiled for {engine}, not {matcher.chosen()}; compile the list again")
    try:
        find = matcher.restored(bytes(artifact.section("automaton")) if automaton is None else automaton, engine)
    except ValueError as error:
        raise ArtifactError(f"the automaton is damaged ({error}); compile the list again") from None
    signed = load(artifact.section("signed"), tables, check=check) if "signed" in header["sections"] else None
    assert signed is None or isinstance(signed, WordList)
    return WordList(artifact, tables, find, signed)


def of_words(words: Sequence[str], tables: FoldTables, name: str = "urgent", category: str = "") -> WordList:
    """A list of a few words without a file, in a few milliseconds: urgent words. Ids are their places in ``words``.

    Each is taken as it stands: nothing in it is syntax. A word that folds to nothing raises ``ListErrors``; equal
    ones count once, under the first place.
    """
    entries = [Entry(line, word, (word,), category=category or name) for line, word in enumerate(dict.fromkeys(words))]
    place = {word: index for index, word in reversed(list(enumerate(words)))}
    loaded = load(compile_list(ParsedList(name, entries=entries), tables, ids=place).data, tables, check=False)
    assert isinstance(loaded, WordList)
    return loaded


WEIGHED_MAX = 32  # code points of finds for each code point of a text; a word with its parts, again and again, has 5
_AT_LEAST = 4_096  # code points of a text that may be as dense, however short it is


class WeighBound(TidegateError, ValueError):
    """More words of a list begin in one text, within and across each other, than are weighed."""


class Weighed(NamedTuple):
    """One match, and why it does not count; ``reason`` is empty where it does. ``spans`` are where the word stands, or
    the one stretch that was looked at. ``refused``: a part of a compound that must not be there."""

    word_id: int
    text: str
    refused: bool
    reason: str
    spans: tuple[Span, ...]


class WordList:
    """A loaded list. ``find`` gives the automaton's matches in a folded text, ``hits`` says what they mean.

    ``signed``: the words of this list whose signs count, as a list of the same name that folds otherwise; whoever reads
    a text with this list reads it with that one too (``with_signed``).
    """

    __slots__ = (
        "_artifact",
        "_categories",
        "_category_names",
        "_flags",
        "_ids",
        "_needs",
        "_offsets",
        "_parts",
        "_row_words",
        "_severities",
        "_shape",
        "_sources",
        "_strict",
        "_stricts",
        "digest",
        "find",
        "folder",
        "name",
        "signed",
        "switches",
        "tables",
    )

    def __init__(
        self, artifact: Artifact, tables: FoldTables, find: matcher.Find, signed: WordList | None = None
    ) -> None:
        header = artifact.header
        self.signed = signed
        self.name: str = header["name"]
        self.digest: str = header["digest"]
        self.switches = Switches().changed(header["switches"])
        self.tables = tables
        self.folder = folder(tables, self.switches)
        self._stricts = [Strictness(*choices) for choices in header["strict"]]
        self.find = thinned(find) if any(one.inserted == "on" for one in self._stricts) else find
        self._artifact = artifact
        self._category_names: list[str] = header["categories"]
        self._ids = artifact.array("ids", "Q")
        self._offsets = artifact.array("offsets", "I")
        self._row_words = artifact.array("row_words", "I")
        self._categories = artifact.array("categories", "H")
        self._severities = artifact.section("severities")
        self._needs = artifact.section("needs")
        self._flags = artifact.section("row_flags")
        self._parts = artifact.section("row_parts")
        self._strict = artifact.section("row_strict")
        self._sources = artifact.section("sources")
        self._shape = lru_cache(maxsize=256)(self._shape_of)

    def __len__(self) -> int:
        return len(self._ids) if self.signed is None else len({*self._ids, *self.signed._ids})

    def word(self, word_id: int) -> str | None:
        """The word as it stands in the list, without attributes; None for an id that is not in it."""
        place = bisect_left(self._ids, word_id)
        if place < len(self._ids) and self._ids[place] == word_id:
            return self._source(place)
        return self.signed.word(word_id) if self.signed is not None else None

    def rows(self) -> list[str]:
        """What the automaton looks for, folded, in its order: for other engines to be compared with it."""
        return [self.folder.word(self._row_source(row)) for row in range(len(self._flags))]

    def hits(self, folded: Folded, found: Sequence[tuple[int, int, int]], field: int, most: int) -> tuple[Hit, ...]:
        """The hits that the matches ``found`` in ``folded.text`` amount to, at most ``most``: one a word, with a span
        for each place where it stands. Overlapping spans of one word are merged. Raises ``WeighBound``."""
        self._bound(folded, found)
        flags, row_words = self._flags, self._row_words
        allowed: Allowed | None = None
        asked = False
        spans: dict[int, list[Span]] = {}
        parts: dict[int, set[int]] = {}
        vetoed: set[int] = set()
        for start, end, row in found:
            kind = flags[row] & KIND
            if kind == ALLOW:
                continue
            there = self._placed(folded, start, end, row).spans
            if not there:
                continue
            word = row_words[row]
            if kind == REFUSED:
                vetoed.add(word)
                continue
            if not asked:
                allowed = self._allowed(folded, found)
                asked = True
            if allowed is not None:
                there = [span for span in there if not allowed.takes(span[0], span[1])]
                if not there:
                    continue
            if kind == PART:
                parts.setdefault(word, set()).add(self._parts[row])
            spans.setdefault(word, []).extend([folded.covered(*span) for span in there])
        hits = [
            Hit(
                self.name,
                self.digest,
                self._ids[word],
                self._category_names[self._categories[word]],
                self._severities[word],
                field,
                merged(where),
            )
            for word, where in spans.items()
            if word not in vetoed and (word not in parts or len(parts[word]) == self._needs[word])
        ]
        return bounded(hits, most)

    def weighed(self, folded: Folded, found: Sequence[tuple[int, int, int]]) -> list[Weighed]:
        """What became of each match that is no allow phrase, in the order of ``found``: for explanations. Raises
        ``WeighBound``."""
        self._bound(folded, found)
        allowed = self._allowed(folded, found)
        told = []
        for start, end, row in found:
            kind = self._flags[row] & KIND
            if kind == ALLOW:
                continue
            there = self._placed(folded, start, end, row)
            spans, reason = there.spans, there.reason
            if spans and kind != REFUSED and allowed is not None:
                spans = [span for span in spans if not allowed.takes(span[0], span[1])]
                reason = reason if spans else ALLOWED
            word = self._row_words[row]
            told.append(
                Weighed(
                    self._ids[word], self._row_source(row), kind == REFUSED, reason,
                    tuple(spans) if spans else (there.tried if not there.spans else there.spans[0],),
                )
            )  # fmt: skip
        return told

    def _bound(self, folded: Folded, found: Sequence[tuple[int, int, int]]) -> None:
        """Each find is weighed in proportion to the stretch that it lies in, and many may lie in one."""
        starts, ends, firsts = folded.spelling
        left = WEIGHED_MAX * max(len(folded.original), _AT_LEAST)
        for start, end, row in found:
            a, b = firsts[start], firsts[end]
            stretch = ends[b - 1] - starts[a]
            if end - start == 1 and stretch > b - a:
                stretch += (b - a) * self._shape(row).size  # each window over gaps
            left -= stretch
            if left < 0:
                raise WeighBound(f"more than {WEIGHED_MAX} code points of finds for each of the text")

    def _placed(self, folded: Folded, start: int, end: int, row: int) -> Placed:
        """Where the row stands in the text, and whether what passes for it there may."""
        there: Placed = standing.placed(folded, start, end, self._shape(row))
        if not there.spans:
            return there
        word = self._row_source(row)
        first, last = folded.span(start, end)
        if not stand_for(folded.original[first:last], folded.original, first, word):
            return Placed([], NUMERAL, there.spans[0])
        if not passes_for(folded, start, end, word):
            return Placed([], OTHER_SCRIPT, there.spans[0])
        return there

    def allow_spans(self, folded: Folded, found: Sequence[tuple[int, int, int]]) -> tuple[tuple[str, Span], ...]:
        """The allow phrases among the matches, with where they stand in the original: for explanations."""
        return tuple(
            (self._row_source(row), span)
            for start, end, row in found
            if self._flags[row] & KIND == ALLOW
            for span in standing.allowed(folded, start, end, self._shape(row))
        )

    def _allowed(self, folded: Folded, found: Sequence[tuple[int, int, int]]) -> Allowed | None:
        spans = [span for _, span in self.allow_spans(folded, found)]
        return Allowed(spans) if spans else None

    def _source(self, place: int) -> str:
        data = self._sources[self._offsets[place] : self._offsets[place + 1]]
        return str(data, "utf-8", "surrogatepass")

    def _row_source(self, row: int) -> str:
        source = self._source(self._row_words[row])
        if self._flags[row] & KIND in (WORD, ALLOW):
            return source
        part = source.split(_SEPARATOR)[self._parts[row]]
        return part[1:] if self._flags[row] & KIND == REFUSED else part

    def _shape_of(self, row: int) -> Shape:
        flag = self._flags[row]
        strict = EXACT if flag & KIND == ALLOW else self._stricts[self._strict[row]]
        return Shape(self.folder, self._row_source(row), strict, bool(flag & WHOLE), bool(flag & NUMBERS))


def with_signed(lists: Sequence[WordList | PatternList]) -> list[WordList | PatternList]:
    """Every list, and behind it that of its words whose signs count."""
    read: list[WordList | PatternList] = []
    for each in lists:
        read.append(each)
        if isinstance(each, WordList) and each.signed is not None:
            read.append(each.signed)
    return read


def _ids(entries: Sequence[Entry]) -> list[int]:
    taken: set[int] = set()
    ids = []
    for entry in entries:
        key = ("+" if entry.allow else "") + unicodedata.normalize("NFC", entry.source)
        drawn = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        word_id = int.from_bytes(drawn, "big") >> (64 - _ID_BITS)
        while word_id in taken:
            word_id = (word_id + 1) % (1 << _ID_BITS)
        taken.add(word_id)
        ids.append(word_id)
    return ids


def list_digest(parsed: ParsedList, tables: FoldTables) -> str:
    """Hexadecimal SHA-256 of what a list means, known before it is compiled: the same for the same entries in another
    order or with other comments."""
    content = hashlib.sha256()
    head = [FORMAT, parsed.kind, parsed.switches.as_dict(), tables.digest, parsed.match_raw, parsed.strict]
    content.update(json.dumps(head).encode())
    # Few entries say something that not all the others say: what stands behind the word is written once.
    said: dict[tuple[object, ...], str] = {}
    lines = []
    for e in parsed.entries:
        saying = e[4:]
        behind = said.get(saying)
        if behind is None:
            behind = f"\0{e.allow}\0{e.category}\0{e.severity}\0{e.whole}\0{e.strict or ''}\0{e.signs}"
            said[saying] = behind
        lines.append(f"\n{e.source}{behind}")
    lines.sort()
    for first in range(0, len(lines), _JOINED):
        content.update("".join(lines[first : first + _JOINED]).encode("utf-8", "surrogatepass"))
    return content.hexdigest()
