"""Steps of a search as runs of Locust: how many people they take, and what is read from what was recorded."""

import json
import math
from pathlib import Path

import pytest

from loadtest import finding
from loadtest.asked import Asked
from loadtest.crowd.suites import SUITES, offered
from loadtest.judging.knee import Measured, Search, search
from tests.loadtest import recorded
from tests.loadtest.report.parsed import parsed

ASKED = Asked("comment-storm", Path("unused"))
ORDER = recorded.ORDER._replace(shape="soak", users=50, rate=100.0)


@pytest.mark.parametrize("name", SUITES)
@pytest.mark.parametrize("rate", [1.0, 50.0, 777.0, 5000.0])
def test_as_many_people_come_as_the_rate_needs(name: str, rate: float) -> None:
    order = finding.order_at(ASKED._replace(suite=name), rate)
    suite = SUITES[name]
    assert offered(suite, order.users, rate) == pytest.approx(
        rate
    )  # nobody at a socket has to hurry beyond SOCKET_RATE
    assert order.users >= suite.users
    assert order.shape == "soak"
    assert order.senders >= 2 * rate
    assert not order.again
    assert finding.order_at(ASKED, rate, again=True).again


def test_a_search_begins_at_a_quarter_of_the_suites_own_rate() -> None:
    assert finding.first_rate(SUITES["comment-storm"], 0) == 100
    assert finding.first_rate(SUITES["comment-storm"], 10) == 10
    assert finding.first_rate(SUITES["live-show"], 1) == 1


def test_a_step_is_read_from_its_record() -> None:
    told = finding.measured_in(recorded.steady(), ORDER, ASKED)
    assert told.offered == pytest.approx(100)
    assert told.goodput == pytest.approx(100)
    assert told.delivered == pytest.approx(90)
    assert told.answer_p99_ms == pytest.approx(2, rel=0.03)
    assert (told.error_share, told.seconds, told.late, told.void) == (0.0, 9.0, False, ())


def test_wrong_verdicts_are_no_goodput() -> None:
    run = recorded.steady()
    for second in run.seconds:
        second["wrong"] = {"wrong verdict: x": 25}
    assert finding.measured_in(run, ORDER, ASKED).goodput == pytest.approx(75)


def test_a_step_that_nobody_answers_has_no_goodput() -> None:
    run = recorded.steady()
    for second in run.seconds:
        second.update(took={}, verdicts={}, errors={"no answer": 10})
    told = finding.measured_in(run, ORDER, ASKED)
    assert told.goodput == told.delivered == 0
    assert told.error_share == 1
    assert math.isnan(told.answer_p99_ms)


def test_a_late_load_fails_where_the_test_filled_the_processors_and_is_void_elsewhere() -> None:
    idle = finding.measured_in(recorded.steady(lag=0.2), ORDER, ASKED)
    assert not idle.late
    assert [reason.code for reason in idle.void] == ["late"]
    full = recorded.steady(lag=0.2)
    for number, sample in enumerate(full.samples):
        sample["cpu"] = {"gateway": number * 0.9, "load": number * 0.97, "machine": number * 1.95}
    told = finding.measured_in(full, ORDER, ASKED)
    assert (told.late, told.void, told.limit) == (True, (), "load")


def test_the_page_of_a_knee_names_it(tmp_path: Path) -> None:
    def measure(rate: float) -> Measured:
        good = rate <= 800
        return Measured(
            rate, rate if good else 150.0, rate, 9.0 if good else 900.0, 0.0, 30.0, "" if good else "gateway"
        )

    wanted = Search(50.0)
    found = search(measure, wanted)
    told = finding.report(ASKED._replace(out=tmp_path), wanted, found, {"cpu": "x"})
    assert told.folder == tmp_path
    result = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert (result["kind"], result["state"]) == ("knee", "kept")
    assert result["knee"]["rate"] == pytest.approx(800, rel=0.1)
    assert result["knee"]["collapse"] > 800
    assert len(result["steps"]) == len(found.steps)
    root = parsed((tmp_path / "report.html").read_text(encoding="utf-8"))
    judgement = next(one for one in root.all("p") if "judgement" in one.attributes.get("class", ""))
    assert judgement.said("en") == found.told.en
    assert [one.said("zh-CN") for one in root.all("dt")] == ["拐点", "拐点处答复时间 p99", "失守于", "崩溃"]
    names = [one.all("figcaption")[0].attributes["id"] for one in root.all("figure")]
    assert names == ["plot-goodput", "plot-knee-latency"]
    assert any("the knee" in one.said("en") for one in root.all("figure")[0].all("li"))


def test_a_search_without_a_step_has_a_page_too(tmp_path: Path) -> None:
    wanted = Search(50.0)
    stood = finding.measured_in(recorded.steady(lag=0.2), ORDER, ASKED)
    told = finding.report(ASKED._replace(out=tmp_path), wanted, search(lambda rate: stood, wanted), {"cpu": "x"})
    assert told.knee.outcome == "void"
    assert parsed((tmp_path / "report.html").read_text(encoding="utf-8")).all("figure") == []


@pytest.mark.parametrize("knee", [0.0, 1e9])
def test_what_was_not_found_has_a_page_too(tmp_path: Path, knee: float) -> None:
    wanted = Search(50.0)

    def measure(rate: float) -> Measured:
        return Measured(rate, rate if rate <= knee else 0.0, 0.0, 9.0, 0.0, 30.0)

    told = finding.report(ASKED._replace(out=tmp_path), wanted, search(measure, wanted), {"cpu": "x"})
    assert told.knee.outcome in ("below", "not reached")
    assert len(parsed((tmp_path / "report.html").read_text(encoding="utf-8")).all("figure")) == 2
