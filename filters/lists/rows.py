"""What the automaton looks for. A row is a word, an allow phrase, or one part of a compound, folded."""

from __future__ import annotations

from array import array

from filters.lists.listsource import Entry, ListErrors, ParsedList, Problem
from filters.text.folding import Folder

# What a row is.
WORD, ALLOW, PART, REFUSED = range(4)
KIND = 0b11
WHOLE = 0b100  # both ends must end a word
ALONE = 0b1000  # letters of scripts with spaces only: a space inside means two words
RUNS = 0b10000  # how often each letter stood there decides
DECIDED_LATER = WHOLE | ALONE | RUNS


class Rows:
    """The rows of a list, in the order of its entries, and everything that is wrong with folding them."""

    def __init__(self, parsed: ParsedList, folder: Folder) -> None:
        self.texts: list[str] = []
        self.words = array("I")  # place of the row's entry in ``kept``
        self.flags = bytearray()
        self.parts = bytearray()
        self.kept: list[Entry] = []
        self.notices: list[Problem] = []
        self._folder = folder
        self._problems: list[Problem] = []
        self._lines: dict[str, tuple[int, bool]] = {}  # folded word: its line, and whether it is an allow phrase
        for entry in parsed.entries:
            self._add(entry)
        if self._problems:
            raise ListErrors(parsed.name, self._problems)

    def _add(self, entry: Entry) -> None:
        if len(entry.parts) > 1 or entry.refused:
            for part, text in enumerate([*entry.parts, *entry.refused]):
                self._row(entry, text, PART if part < len(entry.parts) else REFUSED, part)
        else:
            spelled = self._row(entry, entry.parts[0], ALLOW if entry.allow else WORD, 0)
            if spelled is None:
                return
            line, allow = self._lines.setdefault(spelled, (entry.line, entry.allow))
            if allow != entry.allow:
                self._problems.append(
                    Problem(entry.line, f"both denied and allowed, see line {line}", "take one of the two out")
                )
            elif line != entry.line:
                self.notices.append(Problem(entry.line, f"folds to the same as line {line}", "one of them can go"))
                for column in (self.texts, self.words, self.flags, self.parts):
                    column.pop()
                return
        self.kept.append(entry)

    def _row(self, entry: Entry, text: str, kind: int, part: int) -> str | None:
        folder = self._folder
        folded = folder.text(text)
        if not folded:
            self._problems.append(
                Problem(
                    entry.line, "nothing is left of the word after folding", "write @fold separators off, or letters"
                )
            )
            return None
        flag = kind
        spelled = folder.spelled(text)
        if folder.squeezes and (spelled != folded or any(map(is_small_latin, folded))):
            flag |= RUNS
        if kind != ALLOW and entry.whole is not False and (entry.whole or folder.bounds(folded[0])):
            edges = [folder.bounds(char) for char in folded]
            if all(edges):
                flag |= WHOLE
                if "letter" in edges:
                    flag |= ALONE
            elif entry.whole and (edges[0] or edges[-1]):
                flag |= WHOLE
        self.texts.append(folded)
        self.words.append(len(self.kept))
        self.flags.append(flag)
        self.parts.append(part)
        return spelled


def is_small_latin(char: str) -> bool:
    """The letters whose doubling spells another word."""
    return "a" <= char <= "z"
