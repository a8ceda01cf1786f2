"""What proves that time went by, and what only seems to."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.common.boot import ClockReading
from gateway.journal.retention.evidence import Elapsed, Evidence, stamp
from gateway.journal.write.recovery import OFF_US

DAY = 86_400_000_000
NOW = ClockReading(1000 * DAY, "c", 5 * DAY)


def test_within_one_start_the_machine_s_clock_is_proof() -> None:
    at = ClockReading(0, "c", 2 * DAY)
    assert Evidence([[at]], NOW).since(at) == Elapsed(3 * DAY, 3 * DAY)


def test_each_later_start_counts_as_long_as_it_is_known_to_have_run() -> None:
    folder = [
        ClockReading(900 * DAY, "a", 10 * DAY),
        ClockReading(920 * DAY, "a", 30 * DAY),
        ClockReading(921 * DAY, "b", DAY // 2),
        ClockReading(990 * DAY, "b", 69 * DAY),
    ]
    proven, believed = Evidence([folder], NOW).since(folder[0])
    assert proven == (20 + 69 + 5) * DAY
    # It was off for half a day, and then from day 990 to day 995.
    assert believed == proven + DAY // 2 + 5 * DAY


def test_a_machine_that_was_off_for_long_is_believed_a_week() -> None:
    at = ClockReading(100 * DAY, "a", DAY)
    assert Evidence([[at]], NOW).since(at) == Elapsed(5 * DAY, 5 * DAY + OFF_US)


def test_starts_that_are_each_before_the_other_prove_nothing() -> None:
    a, b = ClockReading(900 * DAY, "a", DAY), ClockReading(910 * DAY, "b", 90 * DAY)
    assert Evidence([[a, b], [b, a]], NOW).since(a).proven == 5 * DAY


def test_starts_that_no_folder_puts_after_another_do_not_count() -> None:
    """Another machine's, say, whose journal was brought here."""
    a, other = ClockReading(900 * DAY, "a", DAY), ClockReading(910 * DAY, "x", 300 * DAY)
    assert Evidence([[a], [other]], NOW).since(a).proven == 5 * DAY


def test_what_an_older_version_wrote_is_believed_in_steps() -> None:
    old = [stamp({"time": day * DAY}) for day in (100, 101, 103, 90, 104, 400)]
    new = [ClockReading(405 * DAY, "b", DAY), ClockReading(500 * DAY, "b", 96 * DAY)]
    evidence = Evidence([[*old, *new]], NOW)
    # 1 and 2 days, none for the time that went back, 1 since the newest before, a week of 296 days, 5 to the upgrade.
    assert evidence.age([*old, *new]).proven == (1 + 2 + 0 + 1 + 7 + 5 + 95 + 5) * DAY
    # A folder that was left before the upgrade goes on with the node's oldest proof.
    assert Evidence([old, new], NOW).age(old[-2:]).proven == (7 + 5 + 95 + 5) * DAY


def test_without_any_proof_nothing_is_old() -> None:
    old = [stamp({"time": 0})]
    assert Evidence([old], ClockReading(10**18, "c", 10)).age(old).proven <= OFF_US + 10


LIES = st.integers(-2000 * DAY, 2000 * DAY)


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans(), LIES), min_size=2, max_size=20), LIES)
def test_no_time_of_day_adds_to_what_is_proven(lives: list[tuple[int, bool, int]], lie: int) -> None:
    """Starts, pauses, and a time of day that says anything: what is proven is never more than the truth."""
    true, started, boot = 10_000 * DAY, 10_000 * DAY, 0
    folder: list[ClockReading] = []
    truth: list[int] = []
    off = 0
    for days, restarted, said in lives:
        true += days * DAY
        if restarted:
            boot += 1
            started = true = true + DAY
            off += DAY
        folder.append(ClockReading(true + said, f"b{boot}", true - started))
        truth.append(true)
    now = ClockReading(true + lie, f"b{boot}", true - started)
    evidence = Evidence([folder], now)
    for at, was in zip(folder, truth, strict=True):
        proven, believed = evidence.age([at])
        assert 0 <= proven <= true - was
        assert believed <= proven + OFF_US * (boot + 1)
