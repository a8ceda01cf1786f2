"""What a command shows: a table for a person, JSON for a program; and nothing of it that a terminal would obey.

In a pipe, or with ``--json``, a row is one JSON object on a line of its own. On a terminal it is a row of a table whose
ids and words are whole: where they do not fit, each row becomes a block of lines, one a value, which the terminal
breaks and nobody cuts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

LEAST = 8  # columns that a value needs, however short its words
GAP = 2  # between columns, the box's own one included


class Column(NamedTuple):
    """``key`` of the row; ``whole``: never cut, never broken; ``shown``: how its value is written."""

    key: str
    whole: bool = False
    shown: Callable[[Any], str] = str
    title: str = ""

    def cell(self, row: Mapping[str, Any]) -> str:
        """What stands in the table, fit for a terminal."""
        value = row.get(self.key)
        return "" if value is None else visible(self.shown(value))

    @property
    def heading(self) -> str:
        return self.title or self.key.replace("_", " ")


def shown_to_a_person() -> bool:
    """Whether standard output is a terminal."""
    return sys.stdout.isatty()


def for_programs(as_json: bool) -> bool:
    """Whether JSON is wanted: asked for, or nobody is there to read a table."""
    return as_json or not shown_to_a_person()


def lines(rows: Iterable[Any]) -> None:
    """One JSON object a line."""
    for row in rows:
        sys.stdout.buffer.write(orjson.dumps(row) + b"\n")
    sys.stdout.flush()


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], console: Console | None = None) -> None:
    """Rows for a person: a table where it fits, else a block for each row."""
    console = console or Console()
    cells = [[column.cell(row) for column in columns] for row in rows]
    needed = sum(_needs(column, [row[place] for row in cells]) + GAP for place, column in enumerate(columns)) - GAP
    if needed > console.width:
        _blocks(cells, columns, console)
        return
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, GAP - 1, 0, 0), show_edge=False)
    for place, column in enumerate(columns):
        least = min(_needs(column, [row[place] for row in cells]), console.width)
        made.add_column(column.heading, no_wrap=column.whole, overflow="fold", min_width=least)
    for row in cells:
        made.add_row(*map(Text, row))
    console.print(made)


def _needs(column: Column, cells: Sequence[str]) -> int:
    """Columns: for the whole value, else for its longest word: a name or a time in two pieces is none."""
    told = (column.heading, *cells)
    longest = max(Text(cell).cell_len for cell in told)
    if column.whole:
        return longest
    words = (Text(word).cell_len for cell in told for word in cell.split())
    return min(longest, max(LEAST, *words, len(column.heading)))


def _blocks(cells: Sequence[Sequence[str]], columns: Sequence[Column], console: Console) -> None:
    width = max(len(column.heading) for column in columns)
    for place, row in enumerate(cells):
        if place:
            console.print()
        for column, cell in zip(columns, row, strict=True):
            if cell:
                told = Text(f"{column.heading:<{width}}  ", style="bold")
                console.print(told + Text(cell, style="none"), soft_wrap=True)


def visible(text: str) -> str:
    """Without what a terminal would obey: what people wrote must not write over what is shown."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def when(micros: Any) -> str:
    """A moment in local time, from microseconds since the epoch."""
    return datetime.fromtimestamp(int(micros) / 1e6).astimezone().isoformat(" ", "seconds")


def until(seconds: Any) -> str:
    """An end, from seconds since the epoch; 0 is none."""
    return when(int(seconds) * 1_000_000) if seconds else "no end"


def yes(value: Any) -> str:
    """Yes or no."""
    return "yes" if value else "no"
