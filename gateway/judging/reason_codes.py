"""Every reason code that anybody outside may see, from the tables of the parts that give them.

Stable: clients, dashboards and ``docs/reasons.md`` name them, and a test holds the page to these tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from filters.checks import CHECKS
from filters.model.meaning import CHINESE, ENGLISH, Meaning
from gateway.http.upstream import failure
from gateway.http.wire import errors
from gateway.judging import answers
from gateway.sentences import appealing
from gateway.sentences.own import NOTICES, UNAVAILABLE
from gateway.surfaces.input import reasons as surfaces
from gateway.websocket import endings, frames, handshake


class Chapter(NamedTuple):
    """A table of the page: rows of (code, status or close code, meaning in English, in Chinese)."""

    title: str
    column: str
    rows: tuple[tuple[str, int, str, str], ...]


def chapters() -> Iterator[Chapter]:
    """All tables, in the order in which a message meets them."""
    yield _chapter("Requests that are refused before anything is judged", errors.REASONS)
    yield _chapter("Handshakes of sockets that are refused", handshake.REASONS)
    yield _chapter("Bodies and frames that cannot be judged", surfaces.REASONS)
    yield _chapter("Messages that are judged and refused", answers.REASONS)
    yield _chapter(
        "Checks that could not be made, where the rule's on_error refuses",
        {f"{check}.unavailable": UNAVAILABLE for check in sorted(CHECKS)},
    )
    yield _chapter("The upstream gave no answer", failure.REASONS)
    yield _chapter("What is told and refuses nothing", NOTICES)
    yield _chapter("Appeals that are not taken", appealing.REASONS)
    yield _chapter("Sockets that break the protocol", frames.REASONS, "close code")
    yield _chapter("Sockets that the gateway ends", endings.ENDINGS, "close code")


def _chapter(title: str, table: Mapping[str, Meaning], column: str = "status") -> Chapter:
    return Chapter(
        title,
        column,
        tuple((code, row.status, sentence(row, ENGLISH), sentence(row, CHINESE)) for code, row in table.items()),
    )


def sentence(row: Meaning, language: str) -> str:
    """Title and detail as one text."""
    title, detail = row.told(language)
    if not detail:
        return title
    return f"{title}。{detail}" if language == CHINESE else f"{title}. {detail}"


def page(chapter: Chapter) -> str:
    """One chapter in Markdown."""
    rows = "".join(
        f"| `{code}` | {number} | {english} | {chinese} |\n" for code, number, english, chinese in chapter.rows
    )
    return f"| reason | {chapter.column} | meaning | 中文 |\n|---|---|---|---|\n{rows}"
