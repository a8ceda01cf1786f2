"""What the configuration says of incidents: how long one may stand, and on which routes a message can wait."""

from __future__ import annotations

import time
from collections.abc import Callable

from gateway.config import Config


class IncidentDesk:
    """``config``: as it is in force; ``clock`` in nanoseconds since the epoch."""

    def __init__(self, config: Callable[[], Config], clock: Callable[[], int] = time.time_ns) -> None:
        self._config = config
        self._clock = clock

    def now(self) -> int:
        """µs since the epoch."""
        return self._clock() // 1000

    def longest(self) -> float:
        """Seconds that an incident may stand before somebody extends it."""
        return self._config().desk.longest_incident

    def routes(self) -> list[tuple[str, bool]]:
        """Judged routes, and whether a message can wait for a person there and be published afterwards."""
        config = self._config()
        return [
            (route.name, config.review is not None and route.release is not None)
            for route in config.routes
            if route.judged
        ]  # fmt: skip
