"""From a recorded result to figures, objectives and the page: arithmetic that can be checked by hand."""

import math
from pathlib import Path

import pytest

import loadtest
from loadtest.crowd.suites import SOCKET_RATE, SOCKETS, SUITES, offered, rates, senders_needed
from loadtest.judging import estimate, figures, objectives, saturation
from loadtest.judging.objectives import Objectives
from loadtest.measuring.load import Run
from tests.loadtest import recorded

LOOSE = Objectives(check_p99_ms=10.0, added_p99_ms=100.0)


def states(measured: figures.Figures, asked: Objectives = Objectives()) -> dict[str, str]:  # noqa: B008 - a tuple
    return {objective.name: objective.state for objective in objectives.weigh(measured, asked)}


def test_figures_add_up() -> None:
    measured = figures.of(recorded.gateway(), recorded.direct())
    assert measured.messages == 2820
    assert dict(measured.verdicts) == {"pass": 2538, "keyword.match": 282}
    assert measured.error_share == 0
    assert [moment.rate for moment in measured.moments] == [100, 100, 200, 200, 300, 300, 400, 400, 410, 410]
    # Half of what was delivered behind the first second took 2 ms, more than a hundredth 20 ms; direct takes 1 ms.
    assert measured.added_p99_ms == pytest.approx(19, rel=0.06)
    assert measured.direct_p99_ms == pytest.approx(1, rel=0.03)
    assert measured.late_p99_ms == pytest.approx(0.1, rel=0.03)
    assert math.isnan(measured.seen_p99_ms)
    assert {each.name: each.answers for each in measured.times} == {
        "article-comments": 2448, "article-comments refused": 272, "read an article": 9,
    }  # fmt: skip


def test_both_runs_are_compared_in_the_same_part() -> None:
    straight = recorded.direct()
    slow = [recorded.second(number, 200, 0.001 if number < 4 else 0.5, 50) for number in range(10)]
    early = figures.Window(recorded.BEGAN + 1, recorded.BEGAN + 4)
    late = [{**second, "at": second["at"] + 1000} for second in slow]  # another time, the same seconds of the run
    measured = figures.of(recorded.gateway(), Run(late, []), early)
    assert measured.direct_p99_ms == pytest.approx(1, rel=0.03)
    assert measured.added_p99_ms == pytest.approx(1, rel=0.06)
    assert measured.rate == figures.of(recorded.gateway(), straight).rate == pytest.approx(2720 / 9)


def test_costs_are_cpu_seconds_over_the_gateways_own_count() -> None:
    measured = figures.of(recorded.gateway(), None)
    assert measured.cpu_us["gateway"] == pytest.approx(100)
    assert measured.cpu_us["state"] == pytest.approx(25)
    assert "machine" not in measured.cpu_us
    assert measured.per_core == pytest.approx(10_000)
    assert measured.busy["load"] == pytest.approx(0.95)
    assert measured.busy["machine"] == pytest.approx(0.75)
    assert math.isnan(measured.added_p99_ms)


def test_without_an_admin_address_the_answers_are_counted() -> None:
    whole = recorded.gateway()
    bare = [{key: sample[key] for key in ("at", "cpu", "processes")} for sample in whole.samples]
    measured = figures.of(Run(whole.seconds, bare), None)
    assert measured.cpu_us["gateway"] == pytest.approx(100)
    assert math.isnan(measured.check_p99_ms)
    assert states(measured)["check p99"] == "not measured"
    assert figures.of(Run(whole.seconds, []), None).cpu_us == {}


def test_check_times_come_from_the_histogram() -> None:
    measured = figures.of(recorded.gateway(), None)
    assert measured.check_within == pytest.approx(0.995)
    assert measured.check_p99_ms < 0.1
    buckets = {"0.001": 90.0, "0.002": 100.0, "+Inf": 100.0}
    assert figures.bucket_quantile(buckets, 0.95) == pytest.approx(0.0015)
    assert figures.bucket_quantile({"0.001": 1.0, "+Inf": 10.0}, 0.99) == 0.001
    assert math.isnan(figures.bucket_quantile({}, 0.99))
    assert math.isnan(figures.share_within({"0.5": 1.0, "+Inf": 1.0}, 0.001))


def test_saturation_is_where_answers_fall_short_of_what_is_offered() -> None:
    measured = figures.of(recorded.gateway(), None)
    found = saturation.of(measured.moments, 10.0, 50, 500.0, measured.busy)
    assert [(step.users, step.offered) for step in found.steps] == [
        (10, 100),
        (20, 200),
        (30, 300),
        (40, 400),
        (50, 500),
    ]
    assert [step.kept_up for step in found.steps] == [True, True, True, True, False]
    assert found.reached
    assert found.highest == 410
    assert found.limit == "load"
    # Up to 70 % of 410 is the second step: objectives are weighed until its end.
    assert found.window == figures.Window(recorded.BEGAN + 1, recorded.BEGAN + 4)


def test_the_whole_machine_can_be_the_limit() -> None:
    measured = figures.of(recorded.gateway(), None)
    found = saturation.of(measured.moments, 10.0, 50, 500.0, {"gateway": 0.3, "machine": 0.99})
    assert found.limit == "machine"
    assert saturation.of(measured.moments, 10.0, 50, 400.0, {"gateway": 0.3}).reached is False


@pytest.mark.parametrize(("machine_", "cores"), [("8 cores", 8), ("1 core", 1), (" 16 CPUs ", 16), ("4", 4)])
def test_machines_are_cores(machine_: str, cores: int) -> None:
    assert estimate.cores_in(machine_) == cores


@pytest.mark.parametrize("machine_", ["", "big", "0 cores", "-1", "8 nodes"])
def test_other_machines_are_refused(machine_: str) -> None:
    with pytest.raises(ValueError, match="no machine"):
        estimate.cores_in(machine_)


def test_an_estimate_knows_that_state_has_one_thread() -> None:
    small = estimate.of(2, {"gateway": 90.0, "state": 10.0})
    large = estimate.of(64, {"gateway": 90.0, "state": 10.0})
    assert small is not None
    assert large is not None
    assert small.rate == pytest.approx(14_000)
    assert not small.by_state
    assert large.rate == pytest.approx(70_000)
    assert large.by_state
    assert estimate.of(8, {}) is None


def test_each_missed_objective_is_named() -> None:
    measured = figures.of(recorded.gateway(), recorded.direct())
    assert states(measured) == {
        "check p99": "kept", "added p99": "missed", "answer p99": "kept", "error rate": "kept",
        "wrong verdicts": "kept", "messages": "kept",
    }  # fmt: skip
    assert states(measured, LOOSE)["added p99"] == "kept"
    assert states(measured, Objectives(check_p99_ms=0.001))["check p99"] == "missed"
    worse = measured._replace(wrong={"x": 1}, error_share=0.002)
    assert states(worse)["wrong verdicts"] == states(worse)["error rate"] == "missed"
    assert states(measured._replace(messages=0))["messages"] == "missed"
    assert states(measured, Objectives(answer_p99_ms=10.0))["answer p99"] == "missed"
    assert states(measured._replace(answer_p99_ms=math.nan))["answer p99"] == "not measured"


def test_a_503_is_no_verdict_and_no_refusal() -> None:
    whole = recorded.gateway()
    whole.seconds[3]["errors"] = {"503 identity.unavailable": 4, "repeats.unavailable": 2, "502 upstream.refused": 1}
    measured = figures.of(whole, None)
    assert measured.unavailable == 6
    assert sum(measured.errors.values()) == 7
    assert sum(measured.verdicts.values()) == measured.messages == 2820
    assert measured.refused_share == pytest.approx(0.1)
    assert measured.error_share == pytest.approx(7 / 2827)
    assert dict(measured.moments[3].errors) == whole.seconds[3]["errors"]


def test_seconds_tell_what_was_sent_judged_and_delivered() -> None:
    measured = figures.of(recorded.gateway(), None)
    assert [moment.sent for moment in measured.moments] == [moment.rate for moment in measured.moments]
    assert [moment.delivered for moment in measured.moments][:3] == [90, 90, 180]
    assert measured.delivered_rate == pytest.approx(0.9 * measured.rate)
    assert measured.lag_p99_ms == pytest.approx(1, rel=0.03)
    assert [at for at, _ in measured.checks] == [recorded.BEGAN + number for number in range(1, 11)]
    assert all(p99 < 0.0001 for _, p99 in measured.checks)


@pytest.mark.parametrize("name", SUITES)
def test_rates_scale_to_what_was_asked(name: str) -> None:
    suite = SUITES[name]
    assert rates(suite, 100, 0.0) == {part.user: part.rate for part in suite.parts}
    hurried = rates(suite, 100, 500.0)
    assert all(hurried[user] <= SOCKET_RATE for user in SOCKETS if user in hurried)
    sockets_alone = set(hurried) <= set(SOCKETS)
    assert offered(suite, 100, 500.0) == pytest.approx(100 * SOCKET_RATE if sockets_alone else 500.0)
    assert senders_needed(suite, 100, 500.0) >= 2 * offered(suite, 100, 500.0)  # 5 in 10 s is one every two seconds
    for part in suite.parts:  # slower than natural is slower for everybody alike
        assert rates(suite, 100, 1.0)[part.user] / part.rate == pytest.approx(
            offered(suite, 100, 1.0) / offered(suite, 100, 0)
        )


@pytest.mark.parametrize("name", SUITES)
def test_suites_name_users_that_exist_once_each(name: str) -> None:
    users = [part.user for part in SUITES[name].parts]
    folder = Path(loadtest.__file__).parent / "users"
    written = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    assert len(set(users)) == len(users)
    assert all(f"class {user}(" in written for user in users)
