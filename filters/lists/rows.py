"""What the automaton looks for. A row is a word, an allow phrase, or one part of a compound, folded."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable
from functools import lru_cache
from itertools import accumulate

from filters.lists.listsource import Entry, ListErrors, ListProblem, ParsedList
from filters.lists.shape import Shape
from filters.lists.strictness import Strictness
from filters.text.folding import Edge, Folder
from filters.text.likeness import passing, writing
from filters.text.numerals import is_numeral

# What a row is.
WORD, ALLOW, PART, REFUSED = range(4)
KIND = 0b11
WHOLE = 0b100  # both ends must end a word
NUMBERS = 0b1000  # an end that is a numeral must end a number

_CHARACTERS = 1 << 16  # of which it is remembered what they are at the edge of a word
PREPARED = 2_000  # entries from which it pays to learn which characters fold to themselves: 50 ms

Spelled = tuple[str, tuple[int, ...], tuple[frozenset[str], ...]]
Key = str | tuple[str, tuple[int, ...], tuple[frozenset[str], ...], str]


class Rows:
    """The rows of a list, in the order of its entries, and everything that is wrong with folding them."""

    def __init__(self, parsed: ParsedList, folder: Folder) -> None:
        self.texts: list[str] = []
        self.words = array("I")  # place of the row's entry in ``kept``
        self.flags = bytearray()
        self.parts = bytearray()
        self.strict = bytearray()  # place in ``stricts``
        self.stricts: list[Strictness] = []
        self.kept: list[Entry] = []
        self.notices: list[ListProblem] = []
        if len(parsed.entries) > PREPARED:
            folder.prepare()
        self._bounds: Callable[[str], Edge] = lru_cache(maxsize=_CHARACTERS)(folder.bounds)
        self._folder = folder
        self._strict = parsed.strict
        self._problems: list[ListProblem] = []
        self._places: dict[Strictness, int] = {}
        self._lines: dict[Key, tuple[int, bool]] = {}  # folded word: its line, and whether it is an allow phrase
        self._numeral: Callable[[str], bool] = lru_cache(maxsize=_CHARACTERS)(is_numeral)
        self._passing = passing(folder.tables)
        simple = folder.switches.separators and parsed.strict.marks != "off"
        for entry in parsed.entries:
            if not (simple and self._add_plain(entry)):
                self._add(entry)
        self.stricts = [*self._places]
        if self._problems:
            raise ListErrors(parsed.name, self._problems)

    def _add_plain(self, entry: Entry) -> bool:
        """Add an entry that is told at a glance: one denied word of Han, or of small Latin letters with one space
        between words, that says nothing of its own. Nearly all of a large list, at a fourth of the time; what it adds
        is what ``_add`` adds."""
        _, text, parts, refused, allow, _, _, whole, strict, _ = entry
        if allow or refused or len(parts) > 1 or whole is not None or strict is not None or _plain(text) is None:
            return False
        spelled = self._folder.spelled(text)
        spaces = text.count(" ")
        if len(spelled) != len(text) - spaces or not self._passing.isdisjoint(text):
            return False  # something stands for several, for none, or for something that looks like it
        folded = _squeezed(r"\1", spelled) if self._folder.squeezes and _twice(spelled) else spelled
        key: Key = folded
        if spaces:
            key = (spelled, tuple(accumulate(map(len, text.split(" ")[:-1]), initial=-1))[1:], (), "")
        elif folded != spelled:
            key = (spelled, (), (), "")
        if key in self._lines:
            return False
        self._lines[key] = entry.line, False
        flag = WORD
        if self._bounds(folded[0]) and all(map(self._bounds, folded)):
            flag |= WHOLE
        if self._numeral(folded[0]) or self._numeral(folded[-1]):
            flag |= NUMBERS
        self.texts.append(folded)
        self.words.append(len(self.kept))
        self.flags.append(flag)
        self.parts.append(0)
        self.strict.append(self._places.setdefault(self._strict, len(self._places)))
        self.kept.append(entry)
        return True

    def _add(self, entry: Entry) -> None:
        if len(entry.parts) > 1 or entry.refused:
            for part, text in enumerate([*entry.parts, *entry.refused]):
                self._row(entry, text, PART if part < len(entry.parts) else REFUSED, part)
        else:
            key = self._row(entry, entry.parts[0], ALLOW if entry.allow else WORD, 0)
            if key is None:
                return
            line, allow = self._lines.setdefault(key, (entry.line, entry.allow))
            if allow != entry.allow:
                self._problems.append(
                    ListProblem(entry.line, f"both denied and allowed, see line {line}", "take one of the two out")
                )
            elif line != entry.line:
                self.notices.append(ListProblem(entry.line, f"folds to the same as line {line}", "one of them can go"))
                for column in (self.texts, self.words, self.flags, self.parts, self.strict):
                    column.pop()
                return
        self.kept.append(entry)

    def _row(self, entry: Entry, text: str, kind: int, part: int) -> Key | None:
        """Add a row; what it has in common with those that say the same, or None where it is none."""
        folder = self._folder
        folded = folder.word(text)
        if not folded:
            self._problems.append(
                ListProblem(
                    entry.line,
                    "nothing is left of the word after folding",
                    "write | signs on if it is to be found as it stands, or letters",
                )
            )
            return None
        flag = kind
        if kind != ALLOW and entry.whole is not False:
            if entry.whole or self._bounds(folded[0]):
                edges = [*map(self._bounds, folded)]
                if all(edges) or (entry.whole and (edges[0] or edges[-1])):
                    flag |= WHOLE
            if is_numeral(folded[0]) or is_numeral(folded[-1]):
                flag |= NUMBERS
        strict = entry.strict or self._strict
        self.texts.append(folded)
        self.words.append(len(self.kept))
        self.flags.append(flag)
        self.parts.append(part)
        self.strict.append(self._places.setdefault(strict, len(self._places)))
        if folded == text:
            return folded  # nothing was folded away that would have to be compared
        key = _simply(text, folder, strict) or Shape(folder, text, strict, False, False).key()
        written = writing(folder.tables, text)
        return (*key, written) if written or key[1] or key[2] or key[0] != folded else folded


_twice = re.compile(r"(.)\1").search
_squeezed = re.compile(r"(.)\1+").sub
_plain = re.compile("[a-z]+(?: [a-z]+)*|[\u3400-\u9fff]+").fullmatch


def _simply(text: str, folder: Folder, strict: Strictness) -> Spelled | None:
    """What ``Shape.key`` says of small Latin words with one space between them, and of Han characters without anything
    between: nearly all of a large list, at a tenth of the time. None for others."""
    if strict.marks == "off" or _plain(text) is None:
        return None
    words = text.split(" ")
    spelled = folder.spelled(text)
    if len(spelled) != len(text) - len(words) + 1:
        return None  # something stands for several, or for none
    places = []
    at = -1
    for word in words[:-1]:
        at += len(word)
        places.append(at)
    return spelled, tuple(places), ()
