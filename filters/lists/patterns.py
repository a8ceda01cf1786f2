"""Lists of RE2 patterns: links, contact details, whatever is told by its shape rather than by its words.

RE2 runs in time linear in the text whatever the pattern, in bounded memory, without look-around and back-references
(https://github.com/google/re2/wiki/Syntax). One set of all patterns tells in one pass whether any of them is there;
only then does each of those look for its spans.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

import re2

from filters.lists.artifact import Artifact, ArtifactError, pack
from filters.lists.listsource import Entry, ListErrors, ListProblem, ParsedList
from filters.model.verdict import Hit
from filters.text.folding import Folded, Folder, folder
from filters.text.spans import Allowed, Span, bounded, merged
from filters.text.tables import FoldTables, Switches

PATTERN_MEMORY = 1 << 20  # bytes for one pattern's program and states
SET_MEMORY = 64 << 20  # bytes for all of a list together

# Stands in no text: a noncharacter. A set whose memory does not reach finds nothing and says nothing, so each set must
# find this one first.
_PROBE = "\U0010ffff"

_SURROGATE = re.compile(r"[\ud800-\udfff]")


def compile_patterns(parsed: ParsedList, tables: FoldTables, digest: str) -> bytes:
    """The artifact. Raises ``ListErrors``: broken patterns, such as match nothing at all, and such as
    can never match because folding leaves nothing of what they ask for."""
    problems = []
    for entry in parsed.entries:
        problems += _problems(entry, parsed, folder(tables, parsed.switches))
    if not problems and not _finds_probe(_set_of([_prepared(e, parsed, tables) for e in parsed.entries])):
        problems = [
            ListProblem(0, "the patterns together need too much memory", "write fewer or shorter repeats {n,m}")
        ]
    if problems:
        raise ListErrors(parsed.name, problems)
    entries = [
        [_id(entry), entry.source, _prepared(entry, parsed, tables), entry.category, entry.severity, entry.allow]
        for entry in parsed.entries
    ]
    header = {
        "kind": "patterns",
        "name": parsed.name,
        "digest": digest,
        "tables": tables.digest,
        "switches": parsed.switches.as_dict(),
        "match_raw": parsed.match_raw,
    }
    return pack(header, {"patterns": json.dumps(entries, ensure_ascii=False).encode()})


class PatternList:
    """A loaded list of patterns; see ``filters.lists.wordlist.WordList`` for what ``find`` and ``hits`` promise.

    A match here is ``(start, end, number of the pattern)``, in code points of the text that the list reads.
    """

    __slots__ = ("_patterns", "_regexps", "_set", "digest", "folder", "match_raw", "name", "switches", "tables")

    def __init__(self, artifact: Artifact, tables: FoldTables) -> None:
        header = artifact.header
        self.name: str = header["name"]
        self.digest: str = header["digest"]
        self.match_raw: bool = header["match_raw"]
        self.switches = Switches().changed(header["switches"])
        self.tables = tables
        self.folder = folder(tables, self.switches)
        self._patterns: list[Any] = json.loads(bytes(artifact.section("patterns")))
        try:
            sources = [pattern for _, _, pattern, *_ in self._patterns]
            self._regexps = [re2.compile(source, _options(PATTERN_MEMORY)) for source in sources]
            self._set = _set_of(sources)
        except re2.error:
            raise ArtifactError("a pattern does not compile with this RE2; compile the list again") from None
        if not _finds_probe(self._set):
            raise ArtifactError("the patterns together need too much memory")

    def __len__(self) -> int:
        return len(self._patterns)

    def word(self, word_id: int) -> str | None:
        """The pattern as it stands in the list; None for an id that is not in it."""
        return next((source for known, source, *_ in self._patterns if known == word_id), None)

    def find(self, text: str) -> list[tuple[int, int, int]]:
        """Every non-empty match of every pattern, leftmost and not overlapping for each."""
        try:
            there = self._set.Match(text)
        except UnicodeEncodeError:
            text = _without_surrogates(text)
            there = self._set.Match(text)
        return [
            (start, end, number)
            for number in sorted(there or ())
            if number < len(self._regexps)
            for start, end in (match.span() for match in self._regexps[number].finditer(text))
            if start < end
        ]

    def hits(
        self, folded: Folded | str, found: Sequence[tuple[int, int, int]], field: int, most: int
    ) -> tuple[Hit, ...]:
        """One hit a pattern. ``folded`` is the text itself for a list that reads it raw."""
        allowed = Allowed((start, end) for start, end, number in found if self._patterns[number][5])
        spans: dict[int, list[Span]] = {}
        for start, end, number in found:
            if not self._patterns[number][5] and not allowed.takes(start, end):
                where = (start, end) if isinstance(folded, str) else folded.covered(*folded.span(start, end))
                spans.setdefault(number, []).append(where)
        return bounded(
            [
                Hit(self.name, self.digest, pattern[0], pattern[3], pattern[4], field, merged(where))
                for number, where in spans.items()
                for pattern in (self._patterns[number],)
            ],
            most,
        )


def _options(memory: int) -> Any:
    options = re2.Options()
    options.max_mem = memory
    options.case_sensitive = False
    options.log_errors = False
    return options


def _set_of(patterns: Sequence[str]) -> Any:
    found = re2.Set.SearchSet(_options(SET_MEMORY))
    for pattern in [*patterns, _PROBE]:
        found.Add(pattern)
    found.Compile()
    return found


def _finds_probe(patterns: Any) -> bool:
    return bool(patterns.Match(_PROBE))


def _without_surrogates(text: str) -> str:
    return _SURROGATE.sub("\ufffd", text)


def _problems(entry: Entry, parsed: ParsedList, folder: Folder) -> list[ListProblem]:
    try:
        compiled = re2.compile(entry.source, _options(PATTERN_MEMORY))
    except re2.error as error:
        why = str(error.args[0], "utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)
        return [ListProblem(entry.line, f"no RE2 pattern: {why}", "see github.com/google/re2/wiki/Syntax")]
    if compiled.search("") is not None:
        return [ListProblem(entry.line, "the pattern matches where nothing is", "ask for at least one character")]
    if parsed.match_raw:
        return []
    for place, char in _in_classes(entry.source):
        folded = folder.single(char)
        if char.isascii() or folded == char or (len(folded) == 1 and not _in_range(entry.source, place)):
            continue
        what = f"the class holds {char}, which folded text never has"
        return [ListProblem(entry.line, what, f"write {folded or 'the class without it'}, or @match raw")]
    return []


def _prepared(entry: Entry, parsed: ParsedList, tables: FoldTables) -> str:
    """The pattern with its own letters beyond ASCII folded as the text will be; ASCII may be syntax, and stays."""
    if parsed.match_raw:
        return entry.source
    single = folder(tables, parsed.switches).single
    inside = {place for place, _ in _in_classes(entry.source)}
    prepared = []
    for place, char in enumerate(entry.source):
        folded = char if char.isascii() else single(char)
        if folded == char:
            prepared.append(char)
        else:
            literal = re2.escape(folded)
            prepared.append(literal if place in inside or len(folded) == 1 else f"(?:{literal})")
    return "".join(prepared)


def _in_classes(pattern: str) -> list[tuple[int, str]]:
    """Place and character of everything that stands in brackets."""
    inside = False
    found = []
    for place, char in enumerate(pattern):
        if char in "[]" and not _escaped(pattern, place):
            inside = char == "["
        elif inside:
            found.append((place, char))
    return found


def _in_range(pattern: str, place: int) -> bool:
    return "-" in (pattern[place - 1], pattern[place + 1 : place + 2])


def _escaped(pattern: str, place: int) -> bool:
    slashes = 0
    while place > slashes and pattern[place - slashes - 1] == "\\":
        slashes += 1
    return slashes % 2 == 1


def _id(entry: Entry) -> int:
    drawn = hashlib.blake2b(entry.source.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(drawn, "big") >> 12  # 52 bits, as for words
