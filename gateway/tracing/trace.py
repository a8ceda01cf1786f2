"""One sampled request, handshake or socket message, and those that are finished, until control asks for them.

A trace is a handful of times that are written down on the way; spans are made of them when control asks, once for all,
so that a worker spends nothing else on them. No span has a text, a person or a room (law 7): method, the route's name
and template, statuses and reasons.
"""

from __future__ import annotations

import time
from collections import deque
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from filters.model.verdict import Verdict

HELD: Final = 1024
"""Finished traces that a worker holds for control: more are counted as lost. Control asks every second."""


class Trace:
    """``trace_id``: 32 hexadecimal digits; ``span_id``, ``parent`` and ``upstream_id``: 16, of the first span, of the
    one before us (empty where there is none) and of the call upstream, by which the platform knows it.

    Times are ``perf_counter``'s, 0 where it never came to that. ``awaited``: what became of the message is still to be
    told, though its sender has an answer.
    """

    __slots__ = (
        "asked_at", "attributes", "awaited", "began", "check_began", "check_ended", "degraded", "disposition", "ended",
        "error", "facts_at", "forwarded_at", "kind", "name", "offset", "parent", "reason", "span_id", "trace_id",
        "upstream_ended", "upstream_error", "upstream_id", "upstream_status",
    )  # fmt: skip

    def __init__(self, kind: str, trace_id: str, span_id: str, upstream_id: str, parent: str, began: float) -> None:
        self.kind = kind
        self.trace_id = trace_id
        self.span_id = span_id
        self.upstream_id = upstream_id
        self.parent = parent
        self.began = began
        self.name = ""
        self.attributes: dict[str, Any] = {}
        self.error = ""
        self.ended = 0.0
        self.awaited = False
        self.check_began = 0.0
        self.check_ended = 0.0
        self.asked_at = 0.0
        self.facts_at = 0.0
        self.forwarded_at = 0.0
        self.upstream_ended = 0.0
        self.upstream_status = 0
        self.upstream_error = ""
        self.disposition = ""
        self.reason = ""
        self.degraded = ""
        self.offset = 0

    def reading(self) -> None:
        """Its text was read. State is asked, unless the facts are there already."""
        if not self.facts_at:
            self.asked_at = perf_counter()

    def judged(self, began: float, verdict: Verdict) -> None:
        """It has a verdict, which is about to be recorded."""
        self.check_began = began
        self.check_ended = perf_counter()
        self.disposition = verdict.disposition
        leading = verdict.leading
        self.reason = leading.finding.reason if leading is not None else ""
        self.degraded = ",".join(verdict.degraded)

    def spans(self, number: int) -> list[dict[str, Any]]:
        """Its spans, the first one first. ``number``: from which the ids of those within the gateway are made."""
        ended = max(self.ended, self.upstream_ended, self.check_ended)
        first = self._span(self.span_id, self.parent, self.kind, self.name, self.began, ended, self.error)
        first["attributes"] = self.attributes
        made = [first]
        if self.check_ended:
            own = _inner(self.span_id, number)
            check = self._span(own, self.span_id, "internal", "check", self.check_began, self.check_ended, "")
            check["attributes"] = _told(
                {
                    "tidegate.disposition": self.disposition,
                    "tidegate.reason": self.reason,
                    "tidegate.degraded": self.degraded,
                }
            )
            made.append(check)
            if self.asked_at and self.facts_at:
                state = self._span(
                    _inner(self.span_id, number + 1), own, "client", "state", self.asked_at, self.facts_at, ""
                )
                state["attributes"] = {"db.system.name": "valkey"}
                made.append(state)
        if self.forwarded_at:
            upstream_ended = self.upstream_ended or ended
            error = self.upstream_error or (str(self.upstream_status) if self.upstream_status >= 400 else "")
            call = self._span(
                self.upstream_id, self.span_id, "client", "upstream", self.forwarded_at, upstream_ended, error
            )
            call["attributes"] = {"http.response.status_code": self.upstream_status} if self.upstream_status else {}
            made.append(call)
        return made

    def _span(
        self, own: str, parent: str, kind: str, name: str, began: float, ended: float, error: str
    ) -> dict[str, Any]:  # fmt: skip
        return {
            "trace": self.trace_id,
            "span": own,
            "parent": parent,
            "kind": kind,
            "name": name,
            "start": self.offset + round(began * 1e9),
            "end": self.offset + round(ended * 1e9),
            "error": error,
        }


class Finished:
    """Traces that are over. ``lost``: those for which there was no room."""

    __slots__ = ("_held", "_most", "lost")

    def __init__(self, most: int = HELD) -> None:
        self._held: deque[Trace] = deque()
        self._most = most
        self.lost = 0

    def add(self, trace: Trace) -> None:
        """Keep one for control. What its clock was then is noted now: it may be set before control asks."""
        if len(self._held) >= self._most:
            self.lost += 1
            return
        trace.offset = time.time_ns() - round(perf_counter() * 1e9)
        self._held.append(trace)

    def take(self, most: int) -> list[dict[str, Any]]:
        """The spans of the oldest ``most`` traces, which are forgotten here."""
        held = self._held
        spans: list[dict[str, Any]] = []
        for _ in range(min(most, len(held))):
            spans += held.popleft().spans(1)
        return spans


def _inner(span_id: str, number: int) -> str:
    """Another id, of a span that is known to nobody else: unlike its parent's, and unlike its neighbour's."""
    return f"{(int(span_id, 16) + number) % (1 << 64) or 0xFFFF:016x}"


def _told(attributes: dict[str, str]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if value}
