"""When somebody is at the desk: ``mon-fri 08:00-22:00``, in a zone of its own, and how much of that has passed.

Service time counts while somebody could have served (STATES: the case). Moments are µs since the epoch, spans seconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_OFFSET: Final = re.compile(r"([+-])(0\d|1[0-4]):([0-5]\d)")
_US: Final = 1_000_000
_DAY_US: Final = 86_400 * _US
_DAYS: Final = (2, 9, 60, 400)  # looked ahead or back, further where that is not enough


class _Span(NamedTuple):
    """Of a weekday, minutes from its midnight; one that goes over midnight ends beyond 1440."""

    weekday: int
    start: int
    end: int


class OpeningHours:
    """``lines`` as an operator writes them, none for always; ``zone``: an offset (``+08:00``), or a name
    (``Asia/Shanghai``) where this machine knows it. Raises ``ValueError``."""

    def __init__(self, lines: Iterable[str] = (), zone: str = "+08:00") -> None:
        self._zone = _zone(zone)
        self._spans = [span for line in lines for span in _spans(line)]

    def is_open(self, now: int) -> bool:
        return not self._spans or any(start <= now < end for start, end in self._around(now))

    def opens_at(self, now: int) -> int:
        """``now`` where it is open; the next opening otherwise."""
        if self.is_open(now):
            return now
        return min(start for start, _ in self._around(now, 8) if start > now)

    def due(self, now: int, seconds: float) -> int:
        """When so much of the opening hours will have passed since ``now``."""
        left = round(seconds * _US)
        if not self._spans:
            return now + left
        for days in _DAYS:
            rest = left
            for start, end in _merged(self._around(now, days)):
                room = end - max(start, now)
                if room <= 0:
                    continue
                if rest <= room:
                    return max(start, now) + rest
                rest -= room
        return now + _DAYS[-1] * _DAY_US

    def since(self, now: int, seconds: float) -> int:
        """The moment since which so much of the opening hours has passed until ``now``: what came before it waits too
        long."""
        left = round(seconds * _US)
        if not self._spans:
            return now - left
        for days in _DAYS:
            rest = left
            for start, end in reversed(_merged(self._around(now, 1, days))):
                room = min(end, now) - start
                if room <= 0:
                    continue
                if rest <= room:
                    return min(end, now) - rest
                rest -= room
        return now - _DAYS[-1] * _DAY_US

    def midnight(self, now: int) -> int:
        """When the day began."""
        day = datetime.fromtimestamp(now / _US, self._zone).date()
        return self._moment(datetime(day.year, day.month, day.day), 0)

    def _around(self, now: int, ahead: int = 1, back: int = 1) -> Iterator[tuple[int, int]]:
        """Spans from so many days back to so many ahead."""
        today = datetime.fromtimestamp(now / _US, self._zone).date()
        for days in range(-back, ahead + 1):
            day = today + timedelta(days=days)
            for span in self._spans:
                if span.weekday == day.weekday():
                    midnight = datetime(day.year, day.month, day.day)  # its zone comes with the minute
                    yield self._moment(midnight, span.start), self._moment(midnight, span.end)

    def _moment(self, midnight: datetime, minutes: int) -> int:
        local = (midnight + timedelta(minutes=minutes)).replace(tzinfo=self._zone)
        return round(local.astimezone(UTC).timestamp()) * _US


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """In order, each moment once."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _zone(name: str) -> tzinfo:
    found = _OFFSET.fullmatch(name)
    if found is not None:
        minutes = int(found[2]) * 60 + int(found[3])
        return timezone(timedelta(minutes=-minutes if found[1] == "-" else minutes))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is no offset such as +08:00, and no zone that this machine knows") from None


def _spans(line: str) -> Iterator[_Span]:
    days, _, hours = line.strip().rpartition(" ")
    found = re.fullmatch(r"(\d\d):(\d\d)-(\d\d):(\d\d)", hours)
    if found is None:
        raise ValueError("is not written as “mon-fri 08:00-22:00”")
    start, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    if int(found[2]) > 59 or int(found[4]) > 59 or start >= 1440 or end > 1440 or start == end:
        raise ValueError("has hours from 00:00 to 24:00, the second another than the first")
    for weekday in sorted({weekday for part in days.split(",") for weekday in _weekdays(part.strip())}):
        yield _Span(weekday, start, end if end > start else end + 1440)


def _weekdays(part: str) -> Iterator[int]:
    first, dash, last = part.partition("-")
    last = last if dash else first
    if first not in DAYS or last not in DAYS:
        raise ValueError(f"has days among {', '.join(DAYS)}, and ranges of them")
    at = DAYS.index(first)
    yield at
    while DAYS[at] != last:
        at = (at + 1) % 7
        yield at
