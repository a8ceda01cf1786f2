"""What the automaton looks for. A row is a word, an allow phrase, or one part of a compound, folded."""

from __future__ import annotations

from array import array

from filters.lists.listsource import Entry, ListErrors, ListProblem, ParsedList
from filters.lists.shape import Shape
from filters.lists.strictness import Strictness
from filters.text.folding import Folder

# What a row is.
WORD, ALLOW, PART, REFUSED = range(4)
KIND = 0b11
WHOLE = 0b100  # both ends must end a word
NUMBERS = 0b1000  # an end that is a digit must end a number

Key = str | tuple[str, tuple[int, ...], tuple[frozenset[str], ...]]


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
        self._folder = folder
        self._strict = parsed.strict
        self._problems: list[ListProblem] = []
        self._places: dict[Strictness, int] = {}
        self._lines: dict[Key, tuple[int, bool]] = {}  # folded word: its line, and whether it is an allow phrase
        for entry in parsed.entries:
            self._add(entry)
        if self._problems:
            raise ListErrors(parsed.name, self._problems)

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
                    entry.line, "nothing is left of the word after folding", "write @fold separators off, or letters"
                )
            )
            return None
        flag = kind
        if kind != ALLOW and entry.whole is not False:
            if entry.whole or folder.bounds(folded[0]):
                edges = [folder.bounds(char) for char in folded]
                if all(edges) or (entry.whole and (edges[0] or edges[-1])):
                    flag |= WHOLE
            if folded[0].isdecimal() or folded[-1].isdecimal():
                flag |= NUMBERS
        strict = entry.strict or self._strict
        if strict not in self._places:
            self._places[strict] = len(self.stricts)
            self.stricts.append(strict)
        self.texts.append(folded)
        self.words.append(len(self.kept))
        self.flags.append(flag)
        self.parts.append(part)
        self.strict.append(self._places[strict])
        if folded == text:
            return folded  # nothing was folded away that would have to be compared
        key = Shape(folder, text, strict, False, False).key()
        return key if key[1] or key[2] or key[0] != folded else folded
