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
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from filters.lists import matcher, standing
from filters.lists.artifact import FORMAT, Artifact, ArtifactError, pack
from filters.lists.inserted import thinned
from filters.lists.listsource import Entry, ListProblem, ParsedList, parse
from filters.lists.patterns import PatternList, compile_patterns
from filters.lists.reasons import ALLOWED, OTHER_SCRIPT
from filters.lists.rows import ALLOW, KIND, NUMBERS, PART, REFUSED, WHOLE, WORD, Rows
from filters.lists.shape import Shape
from filters.lists.standing import Placed
from filters.lists.strictness import EXACT, Strictness
from filters.model.verdict import Hit
from filters.text.folding import Folded, folder
from filters.text.likeness import passes_for
from filters.text.spans import Allowed, Span, bounded, merged
from filters.text.tables import FoldTables, Switches

__all__ = ["Compiled", "WordList", "compile_list", "list_digest", "load", "of_words", "parse"]

_ID_BITS = (
    52  # exact in JSON numbers; a million words collide with a chance of one in ten thousand, and then step aside
)
_SEPARATOR = " & "


class Compiled(NamedTuple):
    """``data`` is the artifact; ``digest`` names content, folding tables and folding version (hexadecimal SHA-256)."""

    data: bytes
    digest: str
    entries: int
    notices: tuple[ListProblem, ...] = ()


def compile_list(parsed: ParsedList, tables: FoldTables, *, ids: Sequence[int] | None = None) -> Compiled:
    """Fold every word as texts are folded and build what is loaded later. Raises ``ListErrors``.

    ``ids`` gives word ids instead of those drawn from the words themselves, which stay the same when lines move.
    Takes half a minute and 1.8 GB for a million words: run it in a process of its own.
    """
    if parsed.kind == "patterns":
        digest = list_digest(parsed, tables)
        data = compile_patterns(parsed, tables, digest)
        return Compiled(data, digest, len(parsed.entries), tuple(parsed.notices))
    rows = Rows(parsed, folder(tables, parsed.switches))
    numbered = sorted(zip(ids or _ids(rows.kept), range(len(rows.kept)), strict=True))
    place = array("I", bytes(4 * len(numbered)))
    for new, (_, old) in enumerate(numbered):
        place[old] = new
    words = [rows.kept[old] for _, old in numbered]
    categories = sorted({entry.category for entry in words})
    number = {name: index for index, name in enumerate(categories)}
    sources = [entry.source.encode("utf-8", "surrogatepass") for entry in words]
    offsets = array("I", [0])
    for source in sources:
        offsets.append(offsets[-1] + len(source))
    digest = list_digest(parsed, tables)
    header = {
        "kind": "words",
        "name": parsed.name,
        "digest": digest,
        "tables": tables.digest,
        "engine": matcher.ENGINE,
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
        "automaton": matcher.compiled(rows.texts),
    }
    return Compiled(pack(header, sections), digest, len(words), (*parsed.notices, *rows.notices))


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
    if header["engine"] != matcher.ENGINE:
        raise ArtifactError(f"compiled for {header['engine']}, not {matcher.ENGINE}; compile the list again")
    try:
        find = matcher.restored(bytes(artifact.section("automaton")) if automaton is None else automaton)
    except ValueError as error:
        raise ArtifactError(f"the automaton is damaged ({error}); compile the list again") from None
    return WordList(artifact, tables, find)


def of_words(words: Sequence[str], tables: FoldTables, name: str = "urgent", category: str = "") -> WordList:
    """A list of a few words without a file, in a few milliseconds: urgent words. Ids are their places in ``words``.

    Each is taken as it stands: nothing in it is syntax. A word that folds to nothing raises ``ListErrors``; equal
    ones count once, under the first place.
    """
    entries = [Entry(line, word, (word,), category=category or name) for line, word in enumerate(dict.fromkeys(words))]
    parsed = ParsedList(name, entries=entries)
    kept = Rows(parsed, folder(tables, parsed.switches)).kept
    place = {word: index for index, word in reversed(list(enumerate(words)))}
    parsed.entries = kept
    loaded = load(compile_list(parsed, tables, ids=[place[entry.source] for entry in kept]).data, tables, check=False)
    assert isinstance(loaded, WordList)
    return loaded


class Weighed(NamedTuple):
    """One match, and why it does not count; ``reason`` is empty where it does. ``spans`` are where the word stands, or
    the one stretch that was looked at. ``refused``: a part of a compound that must not be there."""

    word_id: int
    text: str
    refused: bool
    reason: str
    spans: tuple[Span, ...]


class WordList:
    """A loaded list. ``find`` gives the automaton's matches in a folded text, ``hits`` says what they mean."""

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
        "switches",
        "tables",
    )

    def __init__(self, artifact: Artifact, tables: FoldTables, find: matcher.Find) -> None:
        header = artifact.header
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
        return len(self._ids)

    def word(self, word_id: int) -> str | None:
        """The word as it stands in the list, without attributes; None for an id that is not in it."""
        place = bisect_left(self._ids, word_id)
        return self._source(place) if place < len(self._ids) and self._ids[place] == word_id else None

    def rows(self) -> list[str]:
        """What the automaton looks for, folded, in its order: for other engines to be compared with it."""
        return [self.folder.word(self._row_source(row)) for row in range(len(self._flags))]

    def hits(self, folded: Folded, found: Sequence[tuple[int, int, int]], field: int, most: int) -> tuple[Hit, ...]:
        """The hits that the matches ``found`` in ``folded.text`` amount to, at most ``most``: one a word, with a span
        for each place where it stands. Overlapping spans of one word are merged."""
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
            there = standing.placed(folded, start, end, self._shape(row)).spans
            if not there:
                continue
            if not passes_for(folded, start, end, self._row_source(row)):
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
            spans.setdefault(word, []).extend(there)
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
        """What became of each match that is no allow phrase, in the order of ``found``: for explanations."""
        allowed = self._allowed(folded, found)
        told = []
        for start, end, row in found:
            kind = self._flags[row] & KIND
            if kind == ALLOW:
                continue
            there: Placed = standing.placed(folded, start, end, self._shape(row))
            spans, reason = there.spans, there.reason
            if spans and not passes_for(folded, start, end, self._row_source(row)):
                there = Placed([], OTHER_SCRIPT, spans[0])
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
    lines = [
        f"\n{e.source}\0{e.allow}\0{e.category}\0{e.severity}\0{e.whole}\0{e.strict or ''}" for e in parsed.entries
    ]
    lines.sort()
    for line in lines:
        content.update(line.encode("utf-8", "surrogatepass"))
    return content.hexdigest()
