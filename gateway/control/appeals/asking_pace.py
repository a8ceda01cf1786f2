"""How often somebody may ask: so many events of one key in a window, in bounded memory.

Windows are fixed, so that at their border twice as many pass; that keeps a key to two numbers. What is forgotten first,
where there are too many keys, is the oldest window.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from gateway.common.units import Rate

MOST = 20_000  # keys


class AskingPace:
    """``rate`` as it is in force; ``clock`` in seconds, rising."""

    def __init__(self, rate: Callable[[], Rate], clock: Callable[[], float] = time.monotonic, most: int = MOST) -> None:
        self._rate = rate
        self._clock = clock
        self._most = most
        self._windows: OrderedDict[str, tuple[float, int]] = OrderedDict()  # when it began, how many

    def wait(self, key: str) -> float:
        """Take one; 0, or after how many seconds there is one again."""
        quota, seconds = self._rate()
        now = self._clock()
        began, count = self._windows.get(key, (now, 0))
        if now - began >= seconds:
            began, count = now, 0
        if count >= quota:
            return began + seconds - now
        if not count:
            self._windows.pop(key, None)
            if len(self._windows) >= self._most:
                self._windows.popitem(last=False)
        self._windows[key] = (began, count + 1)
        return 0.0
