"""Limits, and the GCRA arithmetic that decides them: the oracle of ``gateway/state/lua/admit.lua``."""

from typing import NamedTuple


class Limit(NamedTuple):
    """``quota`` messages in ``period_us`` microseconds, counted for each value of ``scope``.

    ``scope``: sender, ip, device, room, route or global. ``scale`` multiplies the quota by the sender's credit
    level: pairs of (level below which it applies, factor), in rising order; empty for no scaling.
    """

    scope: str
    quota: int
    period_us: int
    scale: tuple[tuple[int, float], ...] = ()
