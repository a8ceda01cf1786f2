"""What the allow phrases of a list excuse: told to whoever writes the list, no part of reading texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from filters.lists.rows import ALLOW, KIND, Rows


class Allowance(NamedTuple):
    """``phrase`` as the list has it; ``excuses``: the denied words that lie within it, as the list has them."""

    line: int
    phrase: str
    excuses: tuple[str, ...]


def allowances(halves: Sequence[Rows]) -> tuple[Allowance, ...]:
    """Each allow phrase of a list, which stands in one or both of its ``halves``, in the order of its lines."""
    phrases: dict[int, str] = {}
    excused: dict[int, dict[str, None]] = {}
    for rows in halves:
        if not any(flag & KIND == ALLOW for flag in rows.flags):
            continue
        denied: dict[str, int] = {}
        for row, text in enumerate(rows.texts):
            if rows.flags[row] & KIND != ALLOW:
                denied.setdefault(text, row)
        longest = max(map(len, denied), default=0)
        for row, text in enumerate(rows.texts):
            if rows.flags[row] & KIND != ALLOW:
                continue
            entry = rows.kept[rows.words[row]]
            phrases[entry.line] = entry.source
            found = excused.setdefault(entry.line, {})
            for start in range(len(text)):
                for end in range(start + 1, min(len(text), start + longest) + 1):
                    if (word := denied.get(text[start:end])) is not None:
                        found[rows.kept[rows.words[word]].source] = None
    return tuple(Allowance(line, phrases[line], tuple(excused[line])) for line in sorted(phrases))
