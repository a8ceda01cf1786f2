"""Says that a worker cannot ask state, and that it can again: until then every rule's ``on_error`` holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog

log = structlog.get_logger()

HOLDS: Final = 1.0
"""Seconds that it must be so without a break: a breaker that tries once opens and closes meanwhile."""


class StateWatch:
    """``problem``: why state cannot be asked now; empty where it can. ``look`` is called some times a second."""

    def __init__(self, problem: Callable[[], str]) -> None:
        self._problem = problem
        self._away_since: float | None = None  # as told
        self._other_since: float | None = None  # it has been otherwise than told

    def look(self, now: float) -> None:
        """``now``: seconds, as the sweep counts them."""
        problem = self._problem()
        if bool(problem) == (self._away_since is not None):
            self._other_since = None
            return
        if self._other_since is None:
            self._other_since = now
        if now - self._other_since < HOLDS:
            return
        if self._away_since is None:
            self._away_since = self._other_since
            log.error("state.away", problem=problem)
        else:
            log.warning("state.back", seconds=round(self._other_since - self._away_since, 1))
            self._away_since = None
        self._other_since = None
