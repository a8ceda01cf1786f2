"""``tidegate loadtest compare``: two folders in, what differs out."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from loadtest.judging import comparison, folder
from loadtest.judging.comparison import Comparison
from loadtest.judging.folder import FolderError
from loadtest.judging.sentence import number
from loadtest.report import comparison_page, page


class Compared(NamedTuple):
    """``before`` and ``after``: the folders."""

    before: Path
    after: Path
    suite: str
    found: Comparison


def compare(before: Path, after: Path) -> Compared:
    """Raises ``FolderError`` or ``NotComparable``."""
    one, other = folder.read(before), folder.read(after)
    try:
        return Compared(before, after, str(one["asked"]["suite"]), comparison.compare(one, other))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        # Somebody wrote in it, or another version: which figure it is does not matter to who must measure again.
        raise FolderError(f"{before} or {after}: a result lacks what this version compares; run both again") from None


def plain(told: Compared) -> dict[str, Any]:
    """For programs."""
    return {
        "before": str(told.before),
        "after": str(told.after),
        "worse": told.found.worse,
        "sentence": told.found.told._asdict(),
        "notes": [note._asdict() for note in told.found.notes],
        "rows": [
            {"name": row.name.en, "name_zh": row.name.zh, "before": _known(row.before), "after": _known(row.after),
             "unit": row.unit, "change": row.change}
            for row in told.found.rows
        ],
    }  # fmt: skip


def lines(told: Compared, language: int) -> list[str]:
    """For a person: a table, the notes, the sentence. ``language``: 0 for English, 1 for Chinese."""
    cells = [("", told.before.name, told.after.name, "")]
    cells += [
        (row.name[language], f"{number(row.before)} {row.unit}".rstrip(), f"{number(row.after)} {row.unit}".rstrip(),
         comparison_page.CHANGES[row.change][language])
        for row in told.found.rows
    ]  # fmt: skip
    widths = [max(_wide(row[place]) for row in cells) for place in range(4)]
    table = ["  ".join(cell + " " * (wide - _wide(cell)) for cell, wide in zip(row, widths, strict=True)).rstrip()
             for row in cells]  # fmt: skip
    return [*table, *(note[language] for note in told.found.notes), told.found.told[language]]


def html(told: Compared, language: str) -> str:
    """As a page."""
    return page.html(comparison_page.page(told.before, told.after, told.suite, told.found), language)


def _known(value: float) -> float | None:
    return value if value == value else None


def _wide(text: str) -> int:
    """Columns of a terminal: Chinese takes two."""
    return sum(2 if ord(letter) > 0x2E80 else 1 for letter in text)
