"""How sure a list wants to be that a text evades: one choice for each kind of disguise, for a list or for one word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple


class Strictness(NamedTuple):
    """What counts as a disguise of a word; docs/word-lists.md gives each rule with an innocent and an evading text.

    ``clause``: is a word of Han or Hangul seen across what ends a clause? ``strict``: never; ``long``: words of four
    characters and more across one, wherever it stands. ``repeats``, ``separators``, ``marks``: ``off`` takes only what
    stands as the word does. Of all four ``evading`` asks whether the text evades, ``all`` takes everything.
    ``inserted``: is one foreign letter or digit inside a Han or Hangul word seen through?
    """

    clause: str = "evading"
    repeats: str = "evading"
    separators: str = "evading"
    marks: str = "evading"
    inserted: str = "off"


CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "clause": ("strict", "evading", "long", "all"),
    "repeats": ("off", "evading", "all"),
    "separators": ("off", "evading", "all"),
    "marks": ("off", "evading", "all"),
    "inserted": ("off", "on"),
}
DEFAULT: Final = Strictness()
EXACT: Final = Strictness("strict", "off", "off", "off", "off")
"""What an allow phrase is held to: it opens a door only undisguised."""


def changed(given: Strictness, changes: Mapping[str, str]) -> Strictness:
    """With some choices made otherwise. Raises ``KeyError`` for a name or a value that does not exist."""
    for name, value in changes.items():
        if value not in CHOICES[name]:
            raise KeyError(value)
    return given._replace(**changes)


def chosen(table: Mapping[str, Any]) -> dict[str, str]:
    """The choices that a table of a configuration makes, among other things; a switch may be a boolean."""
    found = {name: table[name] for name in CHOICES if table.get(name) is not None}
    return {
        name: str(value) if not isinstance(value, bool) else "on" if value else "off" for name, value in found.items()
    }


def contradiction(given: Strictness, repeats: bool, separators: bool, marks: bool) -> tuple[str, str] | None:
    """What of it asks for more than the list's foldings show, with the remedy; None where all agrees."""
    for name, folded in (("repeats", repeats), ("separators", separators), ("marks", marks)):
        if not folded and getattr(given, name) == "all":
            what = f"{name} all, while the list has @fold {name} off"
            return what, f"take one of the two out: without the folding no {name} are seen"
    return None
