"""The search for the knee, with a stand-in for the runs: it finds a knee that is known, and says when it cannot."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.judging.knee import BEYOND, Knee, Measured, Search, search, why_not
from loadtest.judging.sentence import Sentence
from loadtest.judging.void import Reason

CALM = Measured(100.0, 100.0, 95.0, 10.0, 0.0, 30.0)
STOOD = (Reason("gap", Sentence("the machine stood still", "机器停顿")),)


class Machine:
    """Carries up to ``knee``; beyond it ``beyond(rate)`` messages a second get a right verdict."""

    def __init__(self, knee: float, beyond: Callable[[float], float]) -> None:
        self.tried: list[float] = []
        self._knee = knee
        self._beyond = beyond

    def __call__(self, rate: float) -> Measured:
        self.tried.append(rate)
        if rate <= self._knee:
            return Measured(rate, rate, rate * 0.95, 10.0, 0.0, 30.0)
        return Measured(rate, self._beyond(rate), 0.0, 900.0, 0.0, 30.0, "gateway")


def plateau(rate: float) -> float:
    return 1000.0


def collapsing(rate: float) -> float:
    return 200.0


def test_a_knee_is_found_to_ten_per_cent_and_the_plateau_named() -> None:
    machine = Machine(1000.0, plateau)
    found = search(machine, Search(100.0))
    assert found.outcome == "found"
    assert 1000 / 1.1 <= found.rate <= 1000 < found.fails_at <= found.rate * 1.1
    assert found.collapse is None
    assert machine.tried[:5] == [100, 200, 400, 800, 1600]
    assert found.told.en.startswith(f"Knee at {found.rate:.0f} messages/s: at {found.fails_at:,.0f}/s ")
    assert "answers took 900 ms (p99, at most 100 ms)" in found.told.en
    assert "No collapse" in found.told.en
    assert "拐点" in found.told.zh


def test_a_collapse_is_named_with_what_is_left() -> None:
    found = search(Machine(1000.0, collapsing), Search(100.0))
    assert found.collapse is not None
    assert found.collapse.rate > found.rate
    assert "It collapses: at" in found.told.en
    assert "only 200/s" in found.told.en
    assert "崩溃" in found.told.zh


def test_one_looks_well_beyond_the_knee() -> None:
    machine = Machine(790.0, plateau)
    found = search(machine, Search(100.0, growth=1.3))
    assert max(machine.tried) >= BEYOND * found.rate


@given(st.floats(5.0, 15_000.0), st.floats(1.0, 4000.0), st.sampled_from([1.5, 2.0, 3.0]))
def test_wherever_the_knee_is_it_is_found_in_few_steps(knee: float, first: float, growth: float) -> None:
    machine = Machine(knee, lambda rate: rate / 2)
    found = search(machine, Search(first, growth=growth))
    if found.outcome == "below":
        assert knee < min(machine.tried) < growth  # one message a second is where it ends
    else:
        assert found.rate <= knee < found.fails_at <= found.rate * 1.1001
    assert len(machine.tried) < 40


def test_a_first_rate_that_is_too_high_is_gone_down_from() -> None:
    machine = Machine(50.0, plateau)
    found = search(machine, Search(400.0))
    assert machine.tried[:4] == [400, 200, 100, 50]
    assert found.outcome == "found"
    assert found.rate == 50


def test_nothing_carried_is_said() -> None:
    found = search(Machine(0.0, plateau), Search(16.0))
    assert found.outcome == "below"
    assert math.isnan(found.rate)
    assert found.told.en.startswith("No rate was carried, down to 1 messages/s")


def test_no_knee_up_to_the_highest_rate_is_no_knee() -> None:
    machine = Machine(math.inf, plateau)
    found = search(machine, Search(100.0, most=500.0))
    assert machine.tried == [100, 200, 400, 500]
    assert (found.outcome, found.rate) == ("not reached", 500)
    assert "No knee up to 500 messages/s" in found.told.en


def test_a_step_on_a_machine_that_stood_still_is_tried_once_more() -> None:
    machine, once = Machine(1000.0, plateau), iter([STOOD])
    found = search(lambda rate: machine(rate)._replace(void=next(once, ())), Search(100.0))
    assert machine.tried[:3] == [100, 100, 200]
    assert found.outcome == "found"


def test_a_machine_that_stands_still_twice_ends_the_search() -> None:
    machine = Machine(1000.0, plateau)
    found = search(lambda rate: machine(rate)._replace(void=STOOD if rate > 300 else ()), Search(100.0))
    assert found.outcome == "void"
    assert found.told.en == "Void: the machine stood still. Until then up to 200 messages/s all was carried."
    between = search(lambda rate: machine(rate)._replace(void=STOOD if 1000 < rate < 1500 else ()), Search(100.0))
    assert between.told.en.endswith("up to 800 messages/s all was carried, and 1,600/s was not.")
    nothing = search(lambda rate: machine(rate)._replace(void=STOOD), Search(100.0))
    assert (nothing.outcome, nothing.steps) == ("void", ())
    assert "no step was measured" in nothing.told.en


def told_by(limit: str, *, late: bool) -> Knee:
    machine = Machine(1000.0, plateau)

    def measure(rate: float) -> Measured:
        found = machine(rate)
        return found._replace(limit=limit, late=late) if rate > 1000 else found

    return search(measure, Search(100.0))


def test_a_knee_that_is_the_loads_own_is_not_called_the_gateways() -> None:
    assert "the gateway's own knee lies higher" in told_by("load", late=True).told.en
    assert "the gateway's own knee lies higher" in told_by("machine", late=False).told.en
    assert "lies higher" not in told_by("gateway", late=False).told.en


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({}, ""),
        ({"goodput": 80.0}, ""),  # 100/s for 30 s: three standard deviations are 5.5/s, and a tenth is 10/s
        ({"goodput": 80.0, "seconds": 300.0}, "goodput fell to 80/s"),
        ({"answer_p99_ms": 100.0}, ""),
        ({"answer_p99_ms": 101.0}, "answers took 101 ms (p99, at most 100 ms)"),
        ({"answer_p99_ms": math.nan}, "answers took – ms (p99, at most 100 ms)"),
        ({"error_share": 0.01}, "1 % errors (at most 0.1 %)"),
        ({"late": True}, "the load itself was late"),
    ],
)
def test_a_step_says_why_it_failed(changed: dict[str, float], why: str) -> None:
    found = CALM._replace(**changed)  # type: ignore[arg-type]
    if changed == {"goodput": 80.0}:
        found = found._replace(goodput=91.0)
    assert ", ".join(one.en for one in why_not(found, Search(100.0))) == why


def test_few_messages_may_vary_as_chance_has_it() -> None:
    few = Measured(4.0, 2.5, 2.5, 10.0, 0.0, 10.0)
    assert why_not(few, Search(4.0)) == ()
    assert why_not(few._replace(goodput=2.0), Search(4.0)) != ()
