"""How many of something came in a time: for bounds on what is cheap to send and useless in masses.

A fixed window, so that a tally is two numbers and no history: in the worst case twice the rate passes where two windows
meet, which a bound against floods can bear. Limits of messages are exact, and not counted here.
"""

from __future__ import annotations

from gateway.common.units import Rate


class Tally:
    """Times: seconds on the caller's clock, such as the sweep's."""

    __slots__ = ("_count", "_until")

    def __init__(self) -> None:
        self._count = 0
        self._until = 0.0

    def exceeds(self, rate: Rate, number: int, now: float) -> bool:
        """Count ``number`` more; true where more than the rate's quota came in the window that ``now`` lies in."""
        if now >= self._until:
            self._until = now + rate.seconds
            self._count = 0
        self._count += number
        return self._count > rate.quota
