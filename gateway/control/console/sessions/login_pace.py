"""How fast passwords can be guessed: wrong ones make whoever tries wait, ever longer, by name and by address.

A try counts before its password is looked at, so that many at once are no way around. Names that nobody has are counted
like others: the wait tells nothing. One name from one address has the fewest tries; a name from everywhere, and an
address for all names, have more, so that a stranger cannot lock a person out by a handful of guesses. Where a name has
logged in from, only what was tried for it from there makes it wait: not what others guess of it elsewhere, nor what is
mistyped by a team behind one address. It is in memory: a restart forgives, and who is logged in is not asked again.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

KEYS: Final = 20_000
ADDRESS: Final = 4  # times the tries of one name from one address
NAME: Final = 10
FORGOTTEN: Final = 4  # longest waits without a try, after which it begins anew


class PaceSettings(NamedTuple):
    """``wait_at_most`` in seconds."""

    attempts: int = 5
    wait_at_most: float = 900.0


class Tries(NamedTuple):
    """Of one key: how many that were not right, and when the last was."""

    wrong: int
    at: float


Key = tuple[str, str]


class LoginPace:
    """``settings`` as they are in force; ``clock`` in seconds, rising."""

    def __init__(self, settings: Callable[[], PaceSettings], clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._tries: OrderedDict[Key, Tries] = OrderedDict()
        self._at_home: OrderedDict[Key, None] = OrderedDict()  # names, and where they have logged in from

    def take(self, name: str, address: str) -> float:
        """Count a try; 0, or after how many seconds there is one again (then it is not counted)."""
        keys = self._keys(name, address)
        wait = max(self._wait(*key) for key in (keys[:1] if (name, address) in self._at_home else keys))
        if wait > 0:
            return wait
        for key, _ in keys:
            tries = self._tries.pop(key, Tries(0, 0.0))
            if len(self._tries) >= KEYS:
                self._tries.popitem(last=False)
            self._tries[key] = Tries(tries.wrong + 1, self._clock())
        return 0.0

    def right(self, name: str, address: str) -> None:
        """It was the right one: that name is not suspected any more from there, and this try was none."""
        self._at_home[name, address] = None
        self._at_home.move_to_end((name, address))
        if len(self._at_home) > KEYS:
            self._at_home.popitem(last=False)
        for key, _ in self._keys(name, address):
            tries = self._tries.get(key)
            if tries is None:
                continue
            if key == (name, address) or tries.wrong <= 1:
                del self._tries[key]
            else:
                self._tries[key] = tries._replace(wrong=tries.wrong - 1)

    def _keys(self, name: str, address: str) -> tuple[tuple[Key, int], ...]:
        most = self._settings().attempts
        return ((name, address), most), ((name, ""), most * NAME), (("", address), most * ADDRESS)

    def _wait(self, key: Key, most: int) -> float:
        tries = self._tries.get(key)
        if tries is None:
            return 0.0
        longest, since = self._settings().wait_at_most, self._clock() - tries.at
        if since >= longest * FORGOTTEN:
            del self._tries[key]
            return 0.0
        if tries.wrong < most:
            return 0.0
        return max(0.0, min(2.0 ** min(tries.wrong - most, 40), longest) - since)
