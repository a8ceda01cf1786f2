"""The file as it was written, read without taking anything for granted about types: what is wrong in itself, the
models tell; a reader of this view sees nothing there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateway.common.units import duration

Path = tuple[str | int, ...]
Found = Iterator[tuple[Path, str]]  # the key a problem stands at, and what is wrong there with its remedy


def table(value: Any, key: str) -> dict[str, Any]:
    """The table under ``key``; empty where there is none."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def tables(value: Any, key: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The tables of the list under ``key``, each with its place."""
    found = value.get(key) if isinstance(value, dict) else None
    for place, one in enumerate(found if isinstance(found, list) else ()):
        if isinstance(one, dict):
            yield place, one


def named(value: Any, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The named tables under ``key``."""
    for name, one in table(value, key).items():
        if isinstance(one, dict):
            yield name, one


def text(value: Any, key: str, default: str = "") -> str:
    """The text under ``key``."""
    found = value.get(key, default) if isinstance(value, dict) else default
    return found if isinstance(found, str) else default


def seconds(value: Any, key: str) -> float:
    """The time under ``key``; 0 where there is none."""
    try:
        return duration(value.get(key, 0)) if isinstance(value, dict) else 0.0
    except ValueError:
        return 0.0


def texts(value: Any, key: str) -> list[str]:
    """The texts under ``key``: one, or the list of them."""
    found = value.get(key) if isinstance(value, dict) else None
    several = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    return [one for one in several if isinstance(one, str)]
