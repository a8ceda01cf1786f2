"""Every reason code that anybody outside may see, from the tables of the parts that give them.

Stable: clients, dashboards and ``docs/reasons.md`` name them, and a test holds the page to these tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from filters.checks import CHECKS
from gateway.http.upstream import failure
from gateway.http.wire import errors
from gateway.judging import answers
from gateway.surfaces.input import reasons as surfaces
from gateway.websocket import endings, frames, handshake


class Chapter(NamedTuple):
    """A table of the page: rows of (code, status or close code, meaning)."""

    title: str
    column: str
    rows: tuple[tuple[str, int, str], ...]


def chapters() -> Iterator[Chapter]:
    """All tables, in the order in which a message meets them."""
    yield Chapter("Requests that are refused before anything is judged", "status", _pairs(errors.REASONS))
    yield Chapter("Handshakes of sockets that are refused", "status", _pairs(handshake.REASONS))
    yield Chapter(
        "Bodies and frames that cannot be judged",
        "status",
        tuple((code, row.status, row.detail) for code, row in surfaces.REASONS.items()),
    )
    yield Chapter(
        "Messages that are judged and refused",
        "status",
        tuple((code, row.status, ". ".join(row.told())) for code, row in answers.REASONS.items()),
    )
    unavailable = answers.UNAVAILABLE
    yield Chapter(
        "Checks that could not be made, where the rule's on_error refuses",
        "status",
        tuple((f"{check}.unavailable", unavailable.status, unavailable.told()[0]) for check in sorted(CHECKS)),
    )
    yield Chapter("The upstream gave no answer", "status", _pairs(failure.REASONS))
    yield Chapter("Sockets that break the protocol", "close code", _pairs(frames.REASONS))
    yield Chapter("Sockets that the gateway ends", "close code", _pairs(endings.ENDINGS))


def _pairs(table: dict[str, tuple[int, str]]) -> tuple[tuple[str, int, str], ...]:
    return tuple((code, number, meaning) for code, (number, meaning) in table.items())


def page(chapter: Chapter) -> str:
    """One chapter in Markdown."""
    rows = "".join(f"| `{code}` | {number} | {meaning} |\n" for code, number, meaning in chapter.rows)
    return f"| reason | {chapter.column} | meaning |\n|---|---|---|\n{rows}"
