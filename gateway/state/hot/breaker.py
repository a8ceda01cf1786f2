"""When a server that does not answer is no longer asked, and when it is asked again."""

from __future__ import annotations

from collections import deque


class Breaker:
    """Opens after ``misses`` confirmed misses within ``window`` seconds; then a probe decides, each failed one after a
    pause twice as long. It reads no clock: ``now`` is monotonic seconds of the caller's."""

    __slots__ = ("_longest", "_misses", "_recent", "_shortest", "_window", "open", "pause")

    def __init__(self, misses: int, window: float, pause: float, max_pause: float) -> None:
        self._misses = misses
        self._window = window
        self._shortest = pause
        self._longest = max_pause
        self._recent: deque[float] = deque(maxlen=misses)
        self.open = False
        self.pause = pause

    def missed(self, now: float) -> bool:
        """Count a confirmed miss; True when it opened the breaker."""
        if self.open:
            return False
        self._recent.append(now)
        if len(self._recent) == self._misses and now - self._recent[0] <= self._window:
            self.open = True
            self.pause = self._shortest
            return True
        return False

    def probe_failed(self) -> None:
        """The probe was not answered in time either."""
        self.pause = min(self.pause * 2, self._longest)

    def close(self) -> None:
        """The server answers in time again."""
        self.open = False
        self.pause = self._shortest
        self._recent.clear()
