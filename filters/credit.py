"""Credit: named levels, what an act adds or takes, and how it recovers. (Comment rules, article 5: tiers by credit.)

Credit is a whole number from 0 to 100. Everything here is arithmetic; the control database keeps the numbers.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

FLOOR, CEILING = 0, 100
DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Levels:
    """Named levels by the least credit each asks for, in rising order; the first begins at 0."""

    minima: tuple[int, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, table: Mapping[str, int]) -> "Levels":
        """From ``{"limited": 0, "normal": 60, "trusted": 90}``. Raises ``ValueError`` naming the remedy."""
        rows = sorted((minimum, name) for name, minimum in table.items())
        if not rows or rows[0][0] != FLOOR:
            raise ValueError("levels begin at 0, so that every credit has one: give the lowest level the minimum 0")
        minima = tuple(minimum for minimum, _ in rows)
        if len(set(minima)) < len(minima) or minima[-1] > CEILING:
            raise ValueError(f"each level needs a minimum of its own, from {FLOOR} to {CEILING}")
        return cls(minima, tuple(name for _, name in rows))

    def name(self, credit: int) -> str:
        """The level that ``credit`` reaches."""
        return self.names[bisect_right(self.minima, max(credit, FLOOR)) - 1]


def apply(credit: int, delta: int, floor: int = FLOOR, ceiling: int = CEILING) -> int:
    """``credit`` after an act, kept between ``floor`` and ``ceiling``."""
    return min(max(credit + delta, floor), ceiling)


def recover(credit: int, since_us: int, now_us: int, per_day: int, ceiling: int = CEILING) -> tuple[int, int]:
    """Credit regained between two times (microseconds), ``per_day`` points a day in whole points.

    Returns the new credit and the time it is true of: the part of a day that did not yet earn a point is kept, so
    that asking often and asking seldom come to the same. A clock that went back changes nothing, and recovery never
    takes from a credit above its ceiling.
    """
    if per_day <= 0 or now_us <= since_us:
        return credit, since_us
    if credit >= ceiling:
        return credit, now_us
    points = (now_us - since_us) * per_day // DAY_US
    if credit + points >= ceiling:
        return ceiling, now_us
    return credit + points, since_us + -(-points * DAY_US // per_day)
