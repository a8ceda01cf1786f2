"""The text of a word list, as a person writes it, read into entries. The syntax: docs/word-lists.md."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, NamedTuple

from filters.lists.strictness import CHOICES, DEFAULT, Strictness, changed, contradiction
from filters.model.errors import TidegateError
from filters.text.tables import PATTERNS, SWITCHES, WORDS, Switches

Kind = Literal["words", "patterns"]

LINE_MAX = 1_024  # code points
WORD_MAX = 128  # code points as written
PARTS_MAX = 8  # of one compound
ENTRIES_MAX = 2_000_000
PATTERNS_MAX = 1_000
CATEGORY_MAX = 48
PROBLEMS_MAX = 100  # told at once; the rest is counted
NOTICES_MAX = 100  # likewise


class ListProblem(NamedTuple):
    """What is wrong in one line, and what to do. ``line`` counts from 1; 0 is the list as a whole."""

    line: int
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}; {self.remedy}" if self.line else f"{self.what}; {self.remedy}"


class ListErrors(TidegateError, ValueError):
    """Everything that is wrong with one list, in the order of its lines."""

    def __init__(self, name: str, problems: list[ListProblem]) -> None:
        self.name = name
        self.problems = tuple(sorted(problems)[:PROBLEMS_MAX])
        self.more = max(0, len(problems) - PROBLEMS_MAX)
        told = [f"list {name}: {problem}" for problem in self.problems]
        super().__init__("\n".join([*told, f"list {name}: {self.more} more problems"] if self.more else told))


class Entry(NamedTuple):
    """One word, compound, allow phrase or pattern. ``parts`` has more than one element for a compound only;
    ``whole`` is None where the list does not say, which means whole words for Latin and its kin. ``signs``: whether the
    word's signs (``#``, ``+``, an emoji) must stand in the text too; None where the list does not say, which means that
    ``filters.lists.signed`` decides."""

    line: int
    source: str
    parts: tuple[str, ...]
    refused: tuple[str, ...] = ()
    allow: bool = False
    category: str = ""
    severity: int = 5
    whole: bool | None = None
    strict: Strictness | None = None
    """None where the word says nothing of its own: the list's."""
    signs: bool | None = None


@dataclass(slots=True)
class ParsedList:
    """``match_raw``: a pattern list reads the text as it was written. ``notices`` are no errors, but worth telling;
    ``unsaid`` counts those beyond ``NOTICES_MAX``. ``in_file``: how many words the operator's file denies by itself,
    before what people added and removed."""

    name: str
    kind: Kind = "words"
    switches: Switches = WORDS
    match_raw: bool = False
    strict: Strictness = DEFAULT
    entries: list[Entry] = field(default_factory=list)
    notices: list[ListProblem] = field(default_factory=list)
    unsaid: int = 0
    in_file: int = 0

    def note(self, line: int, what: str, remedy: str) -> None:
        """Tell something that is no error."""
        if len(self.notices) < NOTICES_MAX:
            self.notices.append(ListProblem(line, what, remedy))
        else:
            self.unsaid += 1

    def told(self) -> tuple[ListProblem, ...]:
        """The notices in the order of their lines, and how many more there are."""
        more = (ListProblem(0, f"{self.unsaid} more notes", "see to these first"),) if self.unsaid else ()
        return (*sorted(self.notices), *more)


# What NamedTuple's own constructor does, without its frame.
_new = tuple.__new__

_special = re.compile(r"[@#|&!\\]").search
_comment = re.compile(r"\s#.*$", re.DOTALL)
_name = re.compile(r"[\w .·()/-]+").fullmatch
# What ends a line in some editor: the last five end one in few, but stand in no word either.
_LINE_ENDS = {
    "\r": "a carriage return alone", "\v": "a vertical tab", "\f": "a form feed",
    "\x85": "U+0085", "\u2028": "U+2028", "\u2029": "U+2029",
}  # fmt: skip
_odd_end = re.compile("\r(?!\n)|[\v\f\x85\u2028\u2029]").search
_any_end = re.compile("\r\n|[\n\r\v\f\x85\u2028\u2029]").split
# Between two words on one line of a table, or of a file that was meant for another program.
_several = re.compile(r"\w\s*[,，、;；\t]\s*\w").search


def parse(
    text: str,
    name: str,
    *,
    kind: Kind | None = None,
    category: str = "",
    fold: Mapping[str, bool] | None = None,
    strict: Mapping[str, str] | None = None,
) -> ParsedList:
    """Read a list. ``kind``, ``category``, ``fold`` and ``strict`` come from the configuration: kind, switches and
    choices stand above the file's own, the category below it. Raises ``ListErrors`` with every problem at once."""
    return _Parser(name, kind, category or name, dict(fold or {}), dict(strict or {})).read(text)


class _Parser:
    def __init__(
        self, name: str, kind: Kind | None, category: str, fold: dict[str, bool], strict: dict[str, str]
    ) -> None:
        self.parsed = ParsedList(name, kind or "words")
        self.kind = kind
        self.fold: dict[str, bool] = {}
        self.outer_fold = fold
        self.strict: dict[str, str] = {}
        self.outer_strict = strict
        self.own_strict: dict[int, dict[str, str]] = {}  # place of an entry: what its line says of it
        self.category = category
        self.severity = 5
        self.whole: bool | None = None
        self.signs: bool | None = None
        self.said: dict[str, tuple[str, int]] = {}  # what speaks for the whole list: its value, and in which line
        self.problems: list[ListProblem] = []
        self.line = 0
        self.seen: dict[bool, dict[str, int]] = {False: {}, True: {}}  # what is allowed, and what not: its line

    def wrong(self, what: str, remedy: str) -> None:
        self.problems.append(ListProblem(self.line, what, remedy))

    def read(self, text: str) -> ParsedList:
        parsed = self.parsed
        if odd := _odd_end(text):
            at = len(lines(text[: odd.start()]))
            parsed.note(at, f"the line ends with {_LINE_ENDS[odd.group()]}", "save the file with line feeds")
        denied, entries = self.seen[False], parsed.entries
        for line in lines(text):
            self.line += 1
            if len(line) > LINE_MAX:
                self.wrong(f"the line has {len(line)} characters", f"at most {LINE_MAX}; is this a word list?")
                continue
            line = line.strip()
            if not line or line[0] == "#":
                continue
            if "\0" in line:
                self.wrong("a NUL character", "save the file as UTF-8; is it UTF-16, or no text?")
                continue
            if line[0] == "@":
                self.directive(line)
            elif parsed.kind == "patterns":
                self.add(Entry(self.line, line, (line,), (), False, self.category, self.severity))
            elif line.isalnum() and len(line) <= WORD_MAX:
                # Nearly every line of a large list: nothing in it means anything, and nothing is told of it but that it
                # stood there before.
                first = denied.setdefault(line, self.line)
                if first != self.line:
                    parsed.note(self.line, f"the same as line {first}", "one of them can go")
                else:
                    entries.append(
                        _new(
                            Entry,
                            (
                                self.line,
                                line,
                                (line,),
                                (),
                                False,
                                self.category,
                                self.severity,
                                self.whole,
                                None,
                                self.signs,
                            ),
                        )
                    )
            elif _special(line) is None:
                self.add(
                    Entry(
                        self.line, line, (line,), (), False, self.category, self.severity, self.whole, signs=self.signs
                    )
                )
            else:
                self.word(line)
        self.line = 0
        most = PATTERNS_MAX if parsed.kind == "patterns" else ENTRIES_MAX
        if len(parsed.entries) > most:
            self.wrong(f"{len(parsed.entries)} entries", f"at most {most}; split the list")
        for switch in self.outer_fold:
            if switch not in SWITCHES:
                self.wrong(f"the configuration sets no such folding: {switch}", f"one of {', '.join(SWITCHES)}")
        if self.problems:
            raise ListErrors(parsed.name, self.problems)
        base = PATTERNS if parsed.kind == "patterns" else WORDS
        parsed.switches = base.changed(self.fold).changed(self.outer_fold)
        self.settle()
        parsed.in_file = sum(not entry.allow for entry in parsed.entries)
        return parsed

    def settle(self) -> None:
        """How strict the list and each of its words are, now that all of it is known."""
        parsed = self.parsed
        for name, value in self.outer_strict.items():
            if value not in CHOICES.get(name, ()):
                self.wrong(f"the configuration sets {name} to {value!r}", f"{name} is one of {_choices(name)}")
        if parsed.kind == "patterns" and (self.strict or self.outer_strict):
            named = ", ".join([*self.strict, *self.outer_strict])
            self.wrong(f"{named} in a list of patterns", "only words have disguises: a pattern says what it finds")
        if not self.problems:
            parsed.strict = changed(changed(DEFAULT, self.strict), self.outer_strict)
            self.agrees(parsed.strict)
            for place, choices in self.own_strict.items():
                entry = parsed.entries[place]
                self.line = entry.line
                own = changed(parsed.strict, choices)
                self.agrees(own)
                parsed.entries[place] = entry._replace(strict=own)
        if self.problems:
            raise ListErrors(parsed.name, self.problems)

    def agrees(self, strict: Strictness) -> None:
        switches = self.parsed.switches
        wrong = contradiction(strict, switches.repeats, switches.separators, switches.marks)
        if wrong is not None:
            self.wrong(*wrong)

    def add(self, entry: Entry) -> None:
        parsed = self.parsed
        if parsed.kind == "words":
            if len(entry.source) > WORD_MAX:
                for part in (*entry.parts, *entry.refused):
                    if len(part) > WORD_MAX:
                        self.wrong(
                            f"a word of {len(part)} characters", f"at most {WORD_MAX}; sentences make poor words"
                        )
            if not entry.allow and _several(entry.source):
                parsed.note(
                    entry.line, f"{_shown(entry.source)} is one word, with a sign in it", "write one word a line"
                )
        first = self.seen[entry.allow].setdefault(entry.source, entry.line)
        if first != entry.line:
            parsed.note(entry.line, f"the same as line {first}", "one of them can go")
            return
        parsed.entries.append(entry)

    def word(self, line: str) -> None:
        """A line with a character that may mean something: attributes, a compound, a comment, an escape."""
        source, *attributes = re.split(r"\s+\|\s+", _comment.sub("", line).strip())
        category, severity, whole, signs = self.category, self.severity, self.whole, self.signs
        strict: dict[str, str] = {}
        said: dict[str, str] = {}
        for attribute in attributes:
            key, _, value = attribute.partition(" ")
            value = value.strip()
            if said.setdefault(key, value) != value:
                self.wrong(f"{key} {said[key]} and {key} {value} for one word", "say one of them")
            elif key == "category":
                category = self.category_name(value) or category
            elif key == "severity":
                severity = self.severity_number(value) or severity
            elif key == "whole-word":
                whole = self.on_off(key, value)
            elif key == "signs":
                signs = self.on_off(key, value)
            elif key in CHOICES:
                self.choose(strict, key, key, value)
            else:
                known = ", ".join(CHOICES)
                self.wrong(
                    f"unknown attribute {key!r}",
                    f"after | comes signs, category, severity or whole-word, or one of {known}",
                )
        parts, refused = [], []
        for part in re.split(r"\s+&\s+", source):
            if part.startswith("!"):
                refused.append(part[1:].strip())
            else:
                parts.append(part.removeprefix("\\"))
        if not parts:
            self.wrong(
                "a rule of refused parts only", "name at least one word that must be there; write \\! for a mark"
            )
        elif not all([*parts, *refused]) or any(map(_stray, [*parts, *refused])):
            self.wrong("an empty part", "a & b & !c: a word stands on both sides of each &")
        elif len(parts) + len(refused) > PARTS_MAX:
            self.wrong(f"a rule of {len(parts) + len(refused)} parts", f"at most {PARTS_MAX}")
        else:
            kept = " & ".join([*parts, *("!" + part for part in refused)])
            place = len(self.parsed.entries)
            self.add(
                Entry(self.line, kept, tuple(parts), tuple(refused), False, category, severity, whole, signs=signs)
            )
            if strict and len(self.parsed.entries) > place:  # it stood nowhere before
                self.own_strict[place] = strict

    def directive(self, line: str) -> None:
        key, _, value = line[1:].partition(" ")
        value = value.strip()
        handler = self.directives().get(key)
        if handler is None:
            known = ", ".join("@" + name for name in self.directives())
            self.wrong(f"unknown directive @{key}", f"one of {known}; a word that begins with @ is written \\@")
            return
        if key in ("kind", "fold", "match", *CHOICES) and self.parsed.entries:
            self.wrong(f"@{key} after the first word", "it speaks for the whole list: move it to the top")
            return
        handler(value)

    def directives(self) -> dict[str, Callable[[str], None]]:
        return {
            "kind": self.set_kind,
            "category": self.set_category,
            "severity": self.set_severity,
            "whole-word": self.set_whole,
            "signs": self.set_signs,
            "fold": self.set_fold,
            "match": self.set_match,
            "allow": self.allow,
            **{name: partial(self.set_choice, name) for name in CHOICES},
        }

    def set_choice(self, name: str, value: str) -> None:
        before = self.strict.get(name)
        if before is not None and before != value:
            self.wrong(f"@{name} {before} and @{name} {value}", "say one of them")
        else:
            self.choose(self.strict, name, f"@{name}", value)

    def choose(self, choices: dict[str, str], name: str, written: str, value: str) -> None:
        if value in CHOICES[name]:
            choices[name] = value
        else:
            self.wrong(f"{written} {value!r}", f"{written} is one of {_choices(name)}")

    def set_kind(self, value: str) -> None:
        if value not in ("words", "patterns"):
            self.wrong(f"unknown kind {value!r}", "write @kind words or @kind patterns")
        elif self.says("@kind", value) and self.kind is None:
            self.parsed.kind = "words" if value == "words" else "patterns"

    def set_category(self, value: str) -> None:
        self.category = self.category_name(value) or self.category

    def set_severity(self, value: str) -> None:
        self.severity = self.severity_number(value) or self.severity

    def set_whole(self, value: str) -> None:
        self.whole = self.on_off("@whole-word", value)

    def set_signs(self, value: str) -> None:
        self.signs = self.on_off("@signs", value)

    def set_match(self, value: str) -> None:
        if value not in ("raw", "folded"):
            self.wrong(f"unknown text {value!r}", "write @match raw or @match folded")
        elif self.says("@match", value):
            self.parsed.match_raw = value == "raw"

    def set_fold(self, value: str) -> None:
        names, _, state = value.rpartition(" ")
        wanted = self.on_off("@fold", state)
        switches = [name.strip() for name in names.split(",") if name.strip()]
        if not switches:
            self.wrong("no folding is named", "write for example @fold leetspeak on")
        for switch in switches:
            if switch not in SWITCHES:
                self.wrong(f"unknown folding {switch!r}", f"one of {', '.join(SWITCHES)}")
            elif wanted is not None and self.says(f"@fold {switch}", state):
                self.fold[switch] = wanted

    def allow(self, value: str) -> None:
        if self.parsed.kind == "words":
            value = _comment.sub("", value).strip()
        if not value:
            self.wrong("@allow without a phrase", "write the harmless phrase behind it")
        else:
            self.add(Entry(self.line, value, (value,), allow=True, category=self.category))

    def category_name(self, value: str) -> str:
        if not value or len(value) > CATEGORY_MAX or _name(value) is None:
            self.wrong(
                f"{value!r} is no category", f"senders read it: letters and spaces, at most {CATEGORY_MAX} characters"
            )
            return ""
        return value

    def severity_number(self, value: str) -> int:
        if len(value) != 1 or value not in "123456789":
            self.wrong(f"severity {value!r}", "a number from 1 (slight) to 9 (grave)")
            return 0
        return int(value)

    def says(self, key: str, value: str) -> bool:
        """Does a line that speaks for the whole list say the same as one before it?"""
        before, line = self.said.setdefault(key, (value, self.line))
        if before != value:
            self.wrong(f"{key} {value}, but {key} {before} in line {line}", "take one of the two out")
        return before == value

    def on_off(self, key: str, value: str) -> bool | None:
        if value not in ("on", "off"):
            self.wrong(f"{key} {value!r}", f"write {key} on or {key} off")
            return None
        return value == "on"


def _choices(name: str) -> str:
    return ", ".join(CHOICES[name]) if name in CHOICES else f"none of {', '.join(CHOICES)}"


def _stray(part: str) -> bool:
    """A sign without a word on one of its sides."""
    return part in ("&", "|") or part.startswith("& ") or part.endswith((" &", " |"))


def _shown(word: str) -> str:
    return word if len(word) <= 40 else word[:39] + "…"


def lines(text: str) -> list[str]:
    """The lines of a list. Unlike ``str.splitlines``, U+001C to U+001E end none: no editor takes them for an end."""
    text = text.removeprefix("\ufeff")
    return _any_end(text) if "\r" in text or _odd_end(text) else text.split("\n")
