"""The sentence at the top: it names what was missed and by how much, in both languages, and a void run before all."""

import pytest

from loadtest.judging import figures, objectives, void
from loadtest.judging.judgement import NAMES, judge
from loadtest.judging.objectives import WHY_NOT, Objectives
from loadtest.judging.sentence import number
from tests.loadtest import recorded


def of(asked: Objectives, **changed: float) -> tuple[figures.Figures, list[objectives.Objective]]:
    measured = figures.of(recorded.gateway(), recorded.direct())._replace(**changed)  # type: ignore[arg-type]
    return measured, objectives.weigh(measured, asked)


def test_kept_says_what_was_carried() -> None:
    told = judge(*of(Objectives(added_p99_ms=100)), [])
    assert told.state == "kept"
    assert told.told.en == (
        "Kept all 6 objectives: 302 messages/s judged, 272 messages/s delivered, answers within 19.7 ms (p99)."
    )
    assert told.told.zh == "6 项目标全部达到：每秒判定 302 条、送达 272 条，答复时间 p99 为 19.7 毫秒。"


def test_missed_names_each_with_its_figure() -> None:
    told = judge(*of(Objectives(), error_share=0.02), [])
    assert told.state == "missed"
    assert told.told.en.startswith("Missed 2 of 6 objectives: added p99 (")
    assert "error rate (2\u00a0%, at most 0.1\u00a0%)" in told.told.en
    assert "错误率（2%，至多 0.1%）" in told.told.zh


def test_what_was_not_measured_is_neither_kept_nor_missed() -> None:
    measured = figures.of(recorded.gateway(), None)
    told = judge(measured, objectives.weigh(measured, Objectives()), [])
    assert told.state == "kept"
    assert told.told.en.startswith("Kept all 5 objectives")
    assert told.told.en.endswith("; not measured: added p99.")


def test_a_void_run_has_kept_nothing() -> None:
    late = void.reasons(recorded.steady(lag=0.2), 50.0, 1, whole=True)
    told = judge(*of(Objectives(added_p99_ms=100)), late)
    assert told.state == "void"
    assert told.told.en.startswith("Void: the load itself was late")
    assert told.told.zh.startswith("无效：负载发生器自身迟滞")


def test_every_objective_has_a_name_and_a_reason() -> None:
    names = [one.name for one in of(Objectives())[1]]
    assert names == list(NAMES)
    assert WHY_NOT.keys() < NAMES.keys()


@pytest.mark.parametrize(("value", "told"), [(0.0123, "0.0123"), (2.5, "2.5"), (99.96, "100"), (12345.6, "12,346")])
def test_numbers_have_three_figures_that_count(value: float, told: str) -> None:
    assert number(value) == told


def test_the_terminal_is_told_counts_and_units() -> None:
    told = {one.name: one.told for one in of(Objectives())[1]}
    assert told["wrong verdicts"] == "0 of 2820, at most 0"
    assert told["messages"] == "2,820, at least 1"
    assert told["check p99"].endswith(" ms, at most 1 ms")
