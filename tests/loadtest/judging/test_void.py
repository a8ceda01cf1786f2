"""What makes a run void: the load's or the machine's doing, each by itself, and nothing that is the gateway's."""

from typing import Any

import pytest

from loadtest.judging import void
from loadtest.judging.figures import Window
from loadtest.measuring.load import Run
from tests.loadtest import recorded


def codes(run: Run, *, most_ms: float = 50.0, processes: int = 1, whole: bool = True, **more: Any) -> list[str]:
    return [reason.code for reason in void.reasons(run, most_ms, processes, whole=whole, **more)]


def test_a_good_run_is_not_void_however_slow_the_gateway_is() -> None:
    assert codes(recorded.steady()) == []
    assert codes(recorded.steady(took=5.0)) == []
    slow = recorded.steady()
    for second in slow.seconds:  # who waits for an answer writes late: that is not the load's doing
        second["late"] = {"300": 100}
    assert codes(slow) == []


def test_a_load_that_wakes_late_is_void() -> None:
    late = recorded.steady(lag=0.08)
    assert codes(late) == ["late"]
    assert codes(late, most_ms=100.0) == []
    (reason,) = void.reasons(late, 50.0, 1, whole=True)
    assert "its own clock woke" in reason.told.en
    assert "迟滞" in reason.told.zh


def test_one_standstill_in_many_good_seconds_is_late_too() -> None:
    run = recorded.steady(lasts=30)
    run.seconds[10]["lag"] = {"220": 60, "100": 40}
    assert codes(run) == ["late"]


def test_the_first_second_is_about_connecting() -> None:
    run = recorded.steady()
    run.seconds[0] = recorded.second(0, 100, 0.002, 50, lag=2.0)
    assert codes(run) == []


def test_what_lies_outside_the_window_is_not_weighed() -> None:
    run = recorded.steady()
    run.seconds[8] = recorded.second(8, 100, 0.002, 50, lag=2.0)
    assert codes(run) == ["late"]
    assert codes(run, window=Window(recorded.BEGAN + 1, recorded.BEGAN + 6)) == []


@pytest.mark.parametrize("part", ["seconds", "samples"])
def test_a_gap_in_either_record_is_void(part: str) -> None:
    run = recorded.steady()
    del getattr(run, part)[4:7]
    assert codes(run) == ["gap"]


def test_a_missing_load_process_is_void() -> None:
    run = recorded.steady()
    for second in run.seconds:
        second["processes"] = 2
    assert codes(run, processes=2) == []
    run.seconds[5]["processes"] = 1
    assert codes(run, processes=2) == ["process"]
    run.seconds[5]["users"] = 0  # over: they leave one after the other
    assert codes(run, processes=2) == []


def test_processors_that_the_host_takes_away_are_void() -> None:
    run = recorded.steady()
    for number, sample in enumerate(run.samples):
        sample["stolen"] = number * 0.3
    assert codes(run) == ["stolen"]


def test_other_programs_on_full_processors_are_void() -> None:
    run = recorded.steady()
    for number, sample in enumerate(run.samples):
        sample["cpu"]["machine"] = number * 1.95
    assert codes(run) == ["crowded"]
    assert codes(run, whole=False) == []  # nobody knows who they are
    for waited, told in ((0.3, ["crowded"]), (0.05, [])):  # of 0.9 s a second
        for number, sample in enumerate(run.samples):
            sample["waited"] = {"gateway": number * waited / 2, "load": number * waited / 2}
        assert codes(run) == told
    for sample in run.samples:
        del sample["waited"]
    for number, sample in enumerate(run.samples):
        sample["cpu"]["machine"] = number * 1.4  # others, but room for everybody
    assert codes(run) == []
    for number, sample in enumerate(run.samples):
        sample["cpu"] = {"gateway": number * 0.9, "load": number * 0.9, "machine": number * 1.95}  # full with the test
    assert codes(run) == []


def test_an_older_record_without_these_figures_is_not_void() -> None:
    run = recorded.steady()
    seconds = [{name: second[name] for name in second if name not in ("lag", "processes")} for second in run.seconds]
    assert codes(Run(seconds, [])) == []
