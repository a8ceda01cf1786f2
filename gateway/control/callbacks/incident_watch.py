"""What workers count that somebody on call should hear of: messages that could not be held.

A message that cannot wait for a person is refused, or passes as its rule says; either way the desk sees nothing of it,
and where it passes nobody does. Workers count both; what has risen since the look before is told. What was counted
before control began is nobody's news.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gateway.common.rounds import Rounds
from gateway.control.acts.refusal import DatabaseUnavailable
from gateway.control.callbacks.callback_sender import CallbackSender
from gateway.control.callbacks.summoning import FULL, SPOOL
from gateway.control.workers.totals import Series

EVERY: Final = 5.0  # seconds between two looks
CAUSES: Final = {"review:queue": SPOOL, "review:disk": SPOOL, "review:room": FULL, "review:all": FULL}
"""Of ``tidegate_degraded_total``: not parked, or let through past the bound (``on_cap = "pass"``)."""
REASONS: Final = {"review.full": FULL}
"""Of ``tidegate_messages_total``: refused past the bound."""


class IncidentWatch:
    """``totals`` gives the counters of all workers by name; ``wanted``: whether anybody is on call."""

    def __init__(
        self, sender: CallbackSender, totals: Callable[[], Mapping[str, Series]], wanted: Callable[[], bool]
    ) -> None:
        self._sender = sender
        self._totals = totals
        self._wanted = wanted
        self._before: dict[str, int] | None = None
        self.rounds = Rounds("callbacks.incidents", self.look, EVERY)

    def start(self) -> None:
        self.rounds.start()

    async def stop(self) -> None:
        await self.rounds.stop()

    async def look(self) -> None:
        """Tell what has risen."""
        if not self._wanted():
            self._before = None
            return
        counted = incidents(self._totals())
        before = self._before if self._before is not None else counted
        try:
            for topic, count in counted.items():
                if count > before[topic]:
                    await self._sender.came_up(topic, count - before[topic])
                    before[topic] = count
        except DatabaseUnavailable:  # told by the database itself; counted again at the next look
            pass
        self._before = before


def incidents(series: Mapping[str, Series]) -> dict[str, int]:
    """How often each happened, by topic."""
    found = {SPOOL: 0, FULL: 0}
    for (cause,), count in series.get("tidegate_degraded_total", {}).items():
        if cause in CAUSES:
            found[CAUSES[cause]] += int(count)  # type: ignore[arg-type]  # a counter, no histogram
    for labels, count in series.get("tidegate_messages_total", {}).items():
        if labels[-1] in REASONS:
            found[REASONS[labels[-1]]] += int(count)  # type: ignore[arg-type]  # as above
    return found
