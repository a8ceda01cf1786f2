"""What happened in each second: times, verdicts and faults, in cells that processes can add up.

Times are counted in buckets that grow by 5 %, so that a quantile is at most 2.5 % off its bucket's middle, from
10 µs up; Locust's own statistics know whole milliseconds only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

GROWTH = math.log(1.05)
SMALLEST = 1e-5  # seconds

DELIVERED = frozenset(("pass", "mask", "read"))
REFUSED = " refused"  # behind the name: a refusal does not go to the platform and back, so its times stand apart

Buckets = dict[int, int]
Cell = dict[str, Any]


def bucket_of(seconds: float) -> int:
    """The number of the bucket; 0 for everything below ``SMALLEST``."""
    return 0 if seconds <= SMALLEST else 1 + int(math.log(seconds / SMALLEST) / GROWTH)


def middle_of(bucket: int) -> float:
    """Seconds in the (geometric) middle of a bucket."""
    return SMALLEST * math.exp(GROWTH * (bucket - 0.5)) if bucket else SMALLEST


def quantile(buckets: Mapping[int, int], share: float) -> float:
    """Seconds below which ``share`` of all observations lie; NaN without any."""
    total = sum(buckets.values())
    if not total:
        return math.nan
    rank = share * total
    below = 0
    for bucket in sorted(buckets):
        below += buckets[bucket]
        if below >= rank:
            return middle_of(bucket)
    raise AssertionError("the counts do not add up")


def joined(several: Iterable[Mapping[int, int]]) -> Buckets:
    """The sum of histograms."""
    whole: Buckets = {}
    for buckets in several:
        for bucket, count in buckets.items():
            whole[bucket] = whole.get(bucket, 0) + count
    return whole


class Tally:
    """One process's counts since it was last asked.

    ``took``: ``{name: {bucket: count}}`` of answered messages and reads; ``verdicts``: ``{name: {outcome: count}}``;
    ``late``: how far behind their schedule messages left; ``seen``: how long bullets took to the screens of others;
    ``lag``: how late the load's own clock woke (``loadtest.measuring.pulse``).
    """

    __slots__ = ("_errors", "_lag", "_late", "_seen", "_took", "_verdicts", "_wrong")

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._took: dict[str, Buckets] = {}
        self._verdicts: dict[str, dict[str, int]] = {}
        self._late: Buckets = {}
        self._seen: Buckets = {}
        self._lag: Buckets = {}
        self._errors: dict[str, int] = {}
        self._wrong: dict[str, int] = {}

    def answered(self, name: str, seconds: float, verdict: str) -> None:
        """``verdict``: pass, mask, or the reason of a refusal; ``read`` for what is not judged."""
        delivered = verdict in DELIVERED
        _count(self._took.setdefault(name if delivered else name + REFUSED, {}), bucket_of(seconds))
        _count(self._verdicts.setdefault(name, {}), verdict)

    def late(self, seconds: float) -> None:
        """A message left so long after it was due."""
        _count(self._late, bucket_of(seconds))

    def seen(self, seconds: float) -> None:
        """Somebody else saw a bullet so long after it was sent."""
        _count(self._seen, bucket_of(seconds))

    def lagged(self, seconds: float) -> None:
        """The load's own clock woke so much too late."""
        _count(self._lag, bucket_of(seconds))

    def error(self, kind: str) -> None:
        """No answer, or one that says that something is broken."""
        _count(self._errors, kind)

    def wrong(self, told: str) -> None:
        """A wrong verdict, in the words of ``WrongVerdict``."""
        _count(self._wrong, told)

    def drain(self) -> Cell:
        """Everything so far, as JSON can carry it; counting begins anew."""
        cell = {
            "took": {name: _told(buckets) for name, buckets in self._took.items()},
            "verdicts": self._verdicts,
            "late": _told(self._late),
            "seen": _told(self._seen),
            "lag": _told(self._lag),
            "errors": self._errors,
            "wrong": self._wrong,
        }
        self._clear()
        return cell


def added(cells: Iterable[Cell]) -> Cell:
    """The sum of several cells; the names of buckets stay text, as JSON has them."""
    whole: Cell = {"took": {}, "verdicts": {}, "late": {}, "seen": {}, "lag": {}, "errors": {}, "wrong": {}}
    for cell in cells:
        _add(whole, cell)
    return whole


def at_work(users: int, state: str) -> int:
    """Users who make load, by the state of Locust's runner: a master still counts those whom it has told to stop, for a
    second or more in which nobody writes."""
    return users if state in ("spawning", "running") else 0


def buckets_in(told: Mapping[str, int]) -> Buckets:
    """A histogram as it was before JSON."""
    return {int(bucket): count for bucket, count in told.items()}


def _told(buckets: Buckets) -> dict[str, int]:
    return {str(bucket): count for bucket, count in sorted(buckets.items())}


def _add(whole: dict[str, Any], part: Mapping[str, Any]) -> None:
    for key, value in part.items():
        if isinstance(value, Mapping):
            _add(whole.setdefault(key, {}), value)
        else:
            whole[key] = whole.get(key, 0) + value


def _count(cells: dict[Any, int], key: Any) -> None:
    cells[key] = cells.get(key, 0) + 1
