"""Limits, and the GCRA arithmetic that decides them: the oracle of ``gateway/state/hot/lua/admit.lua``.

The generic cell rate algorithm (ITU-T I.371, annex A, virtual scheduling) keeps one number for each key: the
theoretical arrival time, when a sender that always used its full rate would send next. A message conforms when,
with one more interval added, that time is no further ahead of the clock than the burst.

All times are integer microseconds. Milliseconds would round the interval of anything faster than 1,000/s to nothing.

No message leaves an arrival time further ahead than the burst. One that is was counted before the clock was set back:
one message conforms at once, and the burst is spent with it. So nobody waits for a clock, and nobody gains by it.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from filters.model.errors import TidegateError

SCOPES = ("sender", "ip", "device", "room", "route", "global")
UNITS = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}

_LIMIT = re.compile(r"(?P<scope>\w+)\s+(?P<quota>\d+)/(?P<count>\d+)?(?P<unit>ms|[smhd])")


class Limit(NamedTuple):
    """``quota`` messages in ``period_us`` microseconds, counted for each value of ``scope``.

    ``scope``: sender, ip, device, room, route or global. ``scale`` multiplies the quota by the sender's credit
    level: pairs of (level below which it applies, factor), in rising order; empty for no scaling.
    """

    scope: str
    quota: int
    period_us: int
    scale: tuple[tuple[int, float], ...] = ()


class Pace(NamedTuple):
    """What a quota means to GCRA, in microseconds: one message an ``interval``, ``burst`` worth of them at once."""

    interval: int
    burst: int


class LimitError(TidegateError, ValueError):
    """A limit that cannot be read; the message names the remedy."""


def parse_limit(text: str) -> Limit:
    """Read ``"sender 5/10s"``: a scope, a quota, and a period in ms, s, m, h or d (``1/m`` is ``1/1m``).

    Raises ``LimitError``.
    """
    match = _LIMIT.fullmatch(text.strip())
    if match is None:
        raise LimitError(f'"{text}" is not a limit; write a scope, a quota and a period, such as "sender 5/10s"')
    scope, quota = match["scope"], int(match["quota"])
    period_us = int(match["count"] or 1) * UNITS[match["unit"]]
    if scope not in SCOPES:
        raise LimitError(f'"{scope}" is not a scope; use one of {", ".join(SCOPES)}')
    if quota < 1:
        raise LimitError(f'"{text}" allows nothing; a quota is at least 1, and closing a room is done by its status')
    if period_us < 1:
        raise LimitError(f'"{text}" has an empty period; write at least 1ms')
    if quota > period_us:
        raise LimitError(f'"{text}" is more than a message a microsecond; leave the limit out instead')
    return Limit(scope, quota, period_us)


def pace(quota: int, period_us: int) -> Pace:
    """The interval is rounded up, so that the sustained rate never exceeds the quota; the burst is the quota."""
    interval = -(-period_us // quota)
    return Pace(interval, interval * quota)


def paces(limit: Limit) -> tuple[tuple[tuple[int, Pace], ...], Pace]:
    """The pace below each level of ``limit.scale``, and the unscaled one. A scaled quota is at least 1."""
    scaled = tuple((below, pace(max(1, int(limit.quota * factor)), limit.period_us)) for below, factor in limit.scale)
    return scaled, pace(limit.quota, limit.period_us)


def pace_of(limit: Limit, credit: int | None) -> Pace:
    """The pace for a sender of that credit; None, a sender nobody knows, is not scaled."""
    scaled, full = paces(limit)
    if credit is not None:
        for below, slower in scaled:
            if credit < below:
                return slower
    return full


def conform(arrival: int | None, now: int, pace: Pace) -> tuple[int, int]:
    """Wait until one more message conforms (0: now), and the arrival time that sending it leaves behind."""
    following = max(arrival or 0, now) + pace.interval
    if following > now + pace.burst + pace.interval:
        following = now + pace.burst
    return max(0, following - pace.burst - now), following


def charge(
    arrivals: Sequence[int | None], paces: Sequence[Pace], now: int
) -> tuple[tuple[int, ...], tuple[int | None, ...]]:
    """Check limits together, then charge them together: all of them, or none when one refuses.

    Returns the waits, 0 for each limit that is kept, and the arrival times afterwards.
    """
    checked = [conform(arrival, now, pace) for arrival, pace in zip(arrivals, paces, strict=True)]
    waits = tuple(wait for wait, _ in checked)
    if any(waits):
        return waits, tuple(arrivals)
    return waits, tuple(following for _, following in checked)
