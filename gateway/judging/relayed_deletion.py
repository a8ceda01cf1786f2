"""Deletions that pass through: a relayed request whose answer says that messages of a judged route are gone.

They are recorded behind the answer, by the worker that relayed it, and nothing waits for them. Where the request names
messages by the platform's ids, control finds ours and records the removal once more with it
(``control/takedowns/sightings.py``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gateway.common.metrics import AnswerCounts, Counts
from gateway.http.upstream.upstream import Upstream
from gateway.journal.write.record import removal
from gateway.surfaces.deletion import DeletionReader, Named

if TYPE_CHECKING:
    from gateway.http.server.exchange import Exchange
    from gateway.http.upstream.failure import UpstreamError
    from gateway.journal.write.writer import Writer
    from gateway.surfaces.input.request import Request

OURS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")  # RFC 9562, section 5.7


@dataclass(frozen=True, slots=True)
class Deletions:
    """A removal route. ``of``: the judged route whose messages it deletes; ``ours``: they are named by our ids;
    ``actor``: who deletes by it; ``answers`` counts what came of its requests."""

    name: str
    upstream: Upstream
    of: str
    ours: bool
    actor: Literal["user", "platform"]
    reader: DeletionReader
    max_body: int
    counts: Counts
    answers: AnswerCounts | None = None

    def watch(self, exchange: Exchange, request: Request, body: bytes, journal: Writer) -> None:
        """Remember what the request deletes until its answer is over."""
        exchange.user = RelayedDeletion(self, self.reader.read(request, body), journal)


class RelayedDeletion:
    """One deletion under way."""

    __slots__ = ("_journal", "_named", "_route")

    def __init__(self, route: Deletions, named: Named, journal: Writer) -> None:
        self._route = route
        self._named = named
        self._journal = journal

    def on_outcome(self, status: int | None, body_prefix: bytes, error: UpstreamError | None) -> None:
        """The answer is over, or was broken off behind a head that said enough."""
        route = self._route
        if route.answers is not None:
            route.answers.count(502 if status is None and error is not None else status)
        if status is None or not route.reader.gone(status, body_prefix):
            return
        ids, room = self._named
        if route.ours:
            ids = tuple(one for one in ids if OURS.fullmatch(one))
        route.counts.add((route.name, "named" if ids else "unnamed"))
        for one in ids:
            ours, theirs = (one, "") if route.ours else ("", one)
            self._journal.insist(
                removal(ours, route.actor, "seen", route=route.of, room=room, upstream_id=theirs, status=status)
            )
