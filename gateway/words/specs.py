"""Which files are lists, as the configuration names them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal, NamedTuple

from filters.lists import matcher
from filters.lists.strictness import chosen

MAX_SIZE = 256 << 20  # bytes of one file


class ListSpec(NamedTuple):
    """One list. ``kind``, ``fold`` and ``strict`` stand above what the file says of itself, ``category`` below it.

    ``added`` and ``removed`` are whole lines that people added to or removed from the operator's file, which itself is
    never written. ``gateway.words.shrinking`` reads the rest: ``meant``, where somebody said of this once that the list
    may shrink; ``before``, the artifact in force; ``before_in_file``, the words of its file, -1 where nobody knows.
    ``engine``: see ``matcher.chosen``.
    """

    name: str
    path: str
    kind: Literal["words", "patterns"] | None = None
    category: str = ""
    fold: dict[str, bool] = {}
    max_size: int = MAX_SIZE
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    strict: dict[str, str] = {}
    min_words: int = 0
    may_shrink: bool = False
    meant: bool = False
    before: str = ""
    before_in_file: int = -1
    engine: str = matcher.AUTO


def of_file(path: Path) -> ListSpec:
    """A list file by itself, named after the file."""
    return ListSpec(path.stem, str(path))


def of_config(path: Path) -> list[ListSpec]:
    """The ``[lists]`` of a configuration, without judging the rest of it. Raises ``OSError``, ``ValueError``."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    tables: dict[str, dict[str, Any]] = document.get("lists", {})
    engine = document.get("server", {}).get("engine", matcher.AUTO)
    return [
        ListSpec(
            name,
            str(path.parent / table["path"]),
            table.get("kind"),
            table.get("category", ""),
            table.get("fold", {}),
            strict=chosen(table),
            min_words=table.get("min_words", 0),
            may_shrink=table.get("may_shrink", False),
            engine=engine if engine in matcher.ENGINES else matcher.AUTO,
        )
        for name, table in tables.items()
        if "path" in table
    ]
