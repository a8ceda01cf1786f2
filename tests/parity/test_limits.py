"""``admit.lua`` and ``filters.model.limits`` decide alike, at the same times, on both engines."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filters.model.limits import Limit, charge, pace_of
from filters.model.message import Message, Vouched
from filters.model.rule import Asks, Repeat
from filters.model.verdict import Scan
from tests.parity.conftest import EPOCH

SCALES = st.sampled_from([(), ((50, 0.5),), ((20, 0.1), (60, 0.34), (90, 1.5))])
# Periods around the time that a test takes, so that counts run out and recover while it runs.
PERIODS = (50, 1_999, 20_000, 10_000_000, 86_400_000_000)
SCOPES = st.sampled_from(["sender", "ip", "device", "room", "route", "global"])
MODES = st.sampled_from(["enforce", "shadow"])
RULES = st.lists(
    st.tuples(st.builds(Limit, SCOPES, st.integers(1, 6), st.sampled_from(PERIODS), SCALES), MODES),
    min_size=1,
    max_size=5,
)
# Counts that outlive the test: what has run out is no key any more, and cannot lie ahead.
LASTING = st.lists(
    st.tuples(st.builds(Limit, SCOPES, st.integers(1, 6), st.sampled_from(PERIODS[3:]), SCALES), MODES),
    min_size=1,
    max_size=5,
)
PEOPLE = st.tuples(
    st.sampled_from(["a", "b", "张三", ""]),
    st.sampled_from(["10.0.0.1", "::1", ""]),
    st.sampled_from(["d", ""]),
    st.sampled_from(["r1", "r2"]),
    st.sampled_from([-1, 0, 30, 70, 100]),
)
BATCHES = st.lists(st.lists(PEOPLE, min_size=1, max_size=12), min_size=1, max_size=6)
BACK = st.sampled_from([0, 30_000, 3_600_000_000, 400 * 86_400_000_000])  # microseconds


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


def set_back(redis: Any, back: int) -> None:
    """Move every count ahead by ``back`` microseconds."""
    for key in redis.scan_iter(match="tg:*", count=1000):
        if redis.pttl(key) > 0:  # neither the epoch nor what governance wrote
            redis.set(key, int(redis.get(key)) + back, keepttl=True)


def batch_of(people: list[Any]) -> list[Message]:
    return [
        Message(
            "", "", "comments", room, sender, (), 0, device, ip,
            vouched=Vouched(True, 0, level) if level >= 0 else None,
        )
        for sender, ip, device, room, level in people
    ]  # fmt: skip


def compare(scripted: Any, rules: list[tuple[Limit, Any]], batches: list[tuple[int, list[Any]]]) -> None:
    scripted.clear()
    asks = Asks()
    for limit, mode in rules:
        asks.limit(limit, mode)
    oracle = Oracle(rules)
    for back, people in batches:
        if back:
            oracle.arrivals = {key: at and at + back for key, at in oracle.arrivals.items()}
            set_back(scripted.redis, back)
        messages = batch_of(people)
        now, told = scripted.admit(asks, messages)
        for message, facts in zip(messages, told, strict=True):
            assert facts.limits == oracle.admit(message, now)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rules=RULES, batches=BATCHES, msetex=st.booleans())
def test_limits(scripted: Any, rules: list[tuple[Limit, Any]], batches: list[list[Any]], msetex: bool) -> None:
    scripted.msetex = msetex and scripted.knows_msetex
    compare(scripted, rules, [(0, batch) for batch in batches])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rules=LASTING, batches=BATCHES, back=st.lists(BACK, min_size=6, max_size=6), msetex=st.booleans())
def test_limits_while_the_clock_is_set_back(
    scripted: Any, rules: list[tuple[Limit, Any]], batches: list[list[Any]], back: list[int], msetex: bool
) -> None:
    """To the script a clock that was set back is what counts are which lie that much further ahead."""
    scripted.msetex = msetex and scripted.knows_msetex
    compare(scripted, rules, list(zip(back, batches, strict=False)))


@pytest.mark.parametrize("quota", [1, 3, 1000, 10_000])
def test_counts_run_out(scripted: Any, quota: int) -> None:
    """A key lives as long as it says anything, and no longer than its burst."""
    scripted.clear()
    asks = Asks()
    asks.limit(Limit("sender", quota, 60_000_000), "enforce")
    scripted.admit(asks, [Message("", "", "comments", "r", "a", (), 0)])
    (key,) = scripted.redis.scan_iter(match="tg:l:*")
    assert 59_000 < scripted.redis.pttl(key) <= 60_000 + quota // 1000 + 2


HOUR = 3_600_000_000


def test_nobody_waits_for_a_clock_that_was_set_back(scripted: Any) -> None:
    """Slow mode, a limit, a block that is a limit: one message goes, and the next waits as it ever would."""
    scripted.clear()
    keys = scripted.keys
    scripted.redis.set(keys.room(EPOCH, "r"), "slow 2000000")
    scripted.redis.set(keys.block(EPOCH, "sender", "bob"), f"0 3000000 9000000 {10**16} flood")
    asks = Asks(room=True, blocks=True)
    asks.limit(Limit("sender", 5, 10_000_000), "enforce")
    alice, bob = (Message("", "", "comments", room, name, (), 0) for room, name in (("r", "alice"), ("r2", "bob")))
    scripted.admit(asks, [alice])
    set_back(scripted.redis, HOUR)
    _, (first, second) = scripted.admit(asks, [alice, alice])
    assert (first.room.retry_after, first.limits) == (0.0, (0,))
    assert (second.room.retry_after, second.limits) == (2.0, (2_000_000,))
    _, (first, second) = scripted.admit(asks, [bob, bob])
    assert first.blocks == ()
    assert [round(block.retry_after, 3) for block in second.blocks] == [3.0]


def test_a_repeat_is_remembered_for_its_period_and_no_longer(scripted: Any) -> None:
    scripted.clear()
    asks = Asks()
    asks.repeat(Repeat("sender", 1, 60_000_000), "enforce")
    scan = Scan(fingerprint=b"t" * 16)
    message = Message("", "", "comments", "r", "alice", (), 0)
    scripted.admit(asks, [message], scan)
    (key,) = (key for key in scripted.redis.scan_iter(match="tg:*") if scripted.redis.pttl(key) > 0)
    seen, people, ends = scripted.redis.get(key).split()
    scripted.redis.set(key, b"%b %b %d" % (seen, people, int(ends) + HOUR // 1000), keepttl=True)
    for times in (2, 3):
        _, (told,) = scripted.admit(asks, [message], scan)
        assert told.repeats[0].seen == times
        assert told.repeats[0].retry_after <= 60
