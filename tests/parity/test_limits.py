"""``admit.lua`` and ``filters.model.limits`` decide alike, at the same times, on both engines."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filters.model.limits import Limit, charge, pace_of
from filters.model.message import Message, Vouched
from filters.model.rule import Asks

SCALES = st.sampled_from([(), ((50, 0.5),), ((20, 0.1), (60, 0.34), (90, 1.5))])
# Periods around the time that a test takes, so that counts run out and recover while it runs.
LIMITS = st.builds(
    Limit,
    st.sampled_from(["sender", "ip", "device", "room", "route", "global"]),
    st.integers(1, 6),
    st.sampled_from([50, 1_999, 20_000, 10_000_000, 86_400_000_000]),
    SCALES,
)
RULES = st.lists(st.tuples(LIMITS, st.sampled_from(["enforce", "shadow"])), min_size=1, max_size=5)
PEOPLE = st.tuples(
    st.sampled_from(["a", "b", "张三", ""]),
    st.sampled_from(["10.0.0.1", "::1", ""]),
    st.sampled_from(["d", ""]),
    st.sampled_from(["r1", "r2"]),
    st.sampled_from([-1, 0, 30, 70, 100]),
)
BATCHES = st.lists(st.lists(PEOPLE, min_size=1, max_size=12), min_size=1, max_size=6)


class Oracle:
    """The same limits in a dict, by ``filters.model.limits`` alone."""

    def __init__(self, rules: list[tuple[Limit, str]]) -> None:
        self.rules = rules
        self.arrivals: dict[Any, int | None] = {}

    def admit(self, message: Message, now: int) -> tuple[int, ...]:
        vouched = message.vouched
        credit = vouched.level if vouched is not None else None
        waits = [0] * len(self.rules)
        groups: dict[Any, list[tuple[int, Any, Any]]] = {}
        for place, (limit, mode) in enumerate(self.rules):
            value = "all" if limit.scope in ("route", "global") else getattr(message, limit.scope)
            if value:
                group = "together" if mode == "enforce" else limit
                groups.setdefault(group, []).append((place, (mode, limit, value), pace_of(limit, credit)))
        for asked in groups.values():
            stored = [self.arrivals.get(key) for _, key, _ in asked]
            told, following = charge(stored, [pace for _, _, pace in asked], now)
            for (place, key, _), wait, arrival in zip(asked, told, following, strict=True):
                waits[place] = wait
                self.arrivals[key] = arrival
        return tuple(waits)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rules=RULES, batches=BATCHES, msetex=st.booleans())
def test_limits(scripted: Any, rules: list[tuple[Limit, Any]], batches: list[list[Any]], msetex: bool) -> None:
    scripted.clear()
    scripted.msetex = msetex and scripted.knows_msetex
    asks = Asks()
    for limit, mode in rules:
        asks.limit(limit, mode)
    oracle = Oracle(rules)
    for batch in batches:
        messages = [
            Message(
                "",
                "",
                "comments",
                room,
                sender,
                (),
                0,
                device,
                ip,
                vouched=Vouched(True, 0, level) if level >= 0 else None,
            )
            for sender, ip, device, room, level in batch
        ]
        now, told = scripted.admit(asks, messages)
        for message, facts in zip(messages, told, strict=True):
            assert facts.limits == oracle.admit(message, now)


@pytest.mark.parametrize("quota", [1, 3, 1000, 10_000])
def test_counts_run_out(scripted: Any, quota: int) -> None:
    """A key lives as long as it says anything, and no longer than its burst."""
    scripted.clear()
    asks = Asks()
    asks.limit(Limit("sender", quota, 60_000_000), "enforce")
    scripted.admit(asks, [Message("", "", "comments", "r", "a", (), 0)])
    (key,) = scripted.redis.scan_iter(match="tg:l:*")
    assert 59_000 < scripted.redis.pttl(key) <= 60_000 + quota // 1000 + 2
