"""Two runs held against each other: a real difference is named, chance is not, other things are not compared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from loadtest import comparing, run
from loadtest.asked import Asked
from loadtest.finding import report as knee_report
from loadtest.judging import folder
from loadtest.judging.comparison import NotComparable, compare
from loadtest.judging.knee import Measured, Search, search
from loadtest.measuring.load import Run
from tests.loadtest import recorded
from tests.loadtest.report.parsed import parsed

MACHINE = {"cpu": "one", "cores": 2, "python": "3.11", "gateway": "interpreted"}
ORDER = recorded.ORDER._replace(shape="soak", seconds=30.0)


def varying(seed: int, took: float = 0.005, messages: int = 100, errors: int = 0) -> Run:
    """Thirty seconds that vary as seconds do: a tenth up and down in time, Poisson-like in number."""
    draw = Random(seed)
    run = recorded.steady(lasts=30)
    for number in range(30):
        count = round(draw.gauss(messages, messages**0.5))
        run.seconds[number] = recorded.second(number, count, took * draw.uniform(0.9, 1.1), 50)
    run.seconds[15]["errors"] = {"503 x": errors} if errors else {}
    return run


def made(out: Path, recorded_: Run, **machine: Any) -> Path:
    out.mkdir()
    asked = Asked("comment-storm", out)
    run.report(asked, ORDER, recorded_, None, {**MACHINE, **machine})
    return out


def changes(before: Path, after: Path) -> dict[str, str]:
    found = compare(folder.read(before), folder.read(after))
    return {row.name.en: row.change for row in found.rows}


def test_two_runs_of_the_same_thing_are_the_same(tmp_path: Path) -> None:
    for seed in range(0, 20, 2):
        one = made(tmp_path / f"{seed}", varying(seed))
        other = made(tmp_path / f"{seed + 1}", varying(seed + 1, errors=1))
        found = compare(folder.read(one), folder.read(other))
        assert not found.worse
        assert {row.change for row in found.rows} <= {"same", "not measured"}
        assert found.told.en == "The second run is no better and no worse: nothing differs by more than chance."


def test_slower_answers_are_worse_and_named(tmp_path: Path) -> None:
    one, other = made(tmp_path / "a", varying(1)), made(tmp_path / "b", varying(2, took=0.008))
    found = compare(folder.read(one), folder.read(other))
    assert found.worse
    told = changes(one, other)
    assert told["answer p50"] == told["answer p99"] == "worse"
    assert told["judged a second"] == "same"
    assert found.told.en.startswith("In the second run worse: answer p50 (")
    assert "变差的有" in found.told.zh
    back = changes(other, one)
    assert back["answer p50"] == back["answer p99"] == "better"
    assert not compare(folder.read(other), folder.read(one)).worse


def test_fewer_messages_and_more_errors_are_worse(tmp_path: Path) -> None:
    one, other = made(tmp_path / "a", varying(1)), made(tmp_path / "b", varying(2, messages=70, errors=40))
    told = changes(one, other)
    assert told["judged a second"] == told["delivered a second"] == told["errors"] == "worse"


def test_one_wrong_verdict_more_is_worse(tmp_path: Path) -> None:
    wrong = varying(2)
    wrong.seconds[3]["wrong"] = {"wrong verdict: x": 1}
    one, other = made(tmp_path / "a", varying(1)), made(tmp_path / "b", wrong)
    assert changes(one, other)["wrong verdicts"] == "worse"


def test_costs_are_compared(tmp_path: Path) -> None:
    dearer = varying(2)
    for sample in dearer.samples:
        sample["cpu"]["gateway"] *= 1.3
    one, other = made(tmp_path / "a", varying(1)), made(tmp_path / "b", dearer)
    assert changes(one, other)["CPU of the gateway a message"] == "worse"


def test_another_machine_is_noted(tmp_path: Path) -> None:
    one, other = made(tmp_path / "a", varying(1)), made(tmp_path / "b", varying(2), cores=64)
    found = compare(folder.read(one), folder.read(other))
    assert [note.en for note in found.notes] == ["Not the same machine or build: cores 2 and 64."]
    assert compare(folder.read(one), folder.read(one)).notes == ()


@pytest.mark.parametrize(
    ("name", "value"), [("suite", "live-show"), ("shape", "ramp"), ("users", 7), ("rate", 1.0), ("seconds", 9)]
)
def test_what_was_asked_otherwise_is_not_compared(tmp_path: Path, name: str, value: object) -> None:
    one = folder.read(made(tmp_path / "a", varying(1)))
    other = {**one, "asked": {**one["asked"], name: value}}
    with pytest.raises(NotComparable, match=f"asked for different things: {name}") as refused:
        compare(one, other)
    assert not refused.value.void


def test_a_void_run_is_not_compared(tmp_path: Path) -> None:
    one = folder.read(made(tmp_path / "a", varying(1)))
    void = folder.read(made(tmp_path / "b", recorded.steady(lag=0.2)))
    for before, after, place in ((void, one, "first"), (one, void, "second")):
        with pytest.raises(NotComparable, match=f"the {place} run: Void: the load itself was late") as refused:
            compare(before, after)
        assert refused.value.void


def knee_at(out: Path, knee: float, *, left: float = 0.9, most: float = 20_000.0) -> Path:
    out.mkdir()

    def measure(rate: float) -> Measured:
        good = rate <= knee
        return Measured(rate, rate if good else left * knee, rate, 9.0 if good else 900.0, 0.0, 30.0)

    wanted = Search(50.0, most)
    knee_report(Asked("comment-storm", out), wanted, search(measure, wanted), MACHINE)
    return out


def test_knees_are_compared(tmp_path: Path) -> None:
    one, same, less = (knee_at(tmp_path / name, knee) for name, knee in (("a", 800.0), ("b", 810.0), ("c", 500.0)))
    assert changes(one, same)["knee"] == "same"
    assert changes(one, less)["knee"] == "worse"
    assert changes(less, one)["knee"] == "better"
    nothing = knee_at(tmp_path / "d", 0.0)
    assert changes(one, nothing)["knee"] == "worse"
    falls = knee_at(tmp_path / "e", 800.0, left=0.2)
    assert next(change for name, change in changes(one, falls).items() if name.startswith("collapse")) == "worse"


def test_a_knee_that_was_not_reached_is_no_lower_knee(tmp_path: Path) -> None:
    one, short = knee_at(tmp_path / "a", 800.0), knee_at(tmp_path / "b", 800.0, most=300.0)
    assert changes(one, short)["knee"] == "not measured"
    assert changes(short, one)["knee"] == "not measured"
    with pytest.raises(NotComparable, match="one is a search for the knee"):
        compare(folder.read(one), folder.read(made(tmp_path / "c", varying(1))))


def places(whole: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where values stand in a result; of a list its first."""
    inside = whole.items() if isinstance(whole, dict) else enumerate(whole[:1]) if isinstance(whole, list) else ()
    for key, value in inside:
        yield (*place, key)
        yield from places(value, (*place, key))


@pytest.mark.parametrize("kind", ["run", "knee"])
@pytest.mark.parametrize("wrong", ["gone", None, "words", [], {}, -1])
def test_a_result_that_somebody_wrote_in_is_refused_or_compared(tmp_path: Path, kind: str, wrong: Any) -> None:
    one = made(tmp_path / "a", varying(1)) if kind == "run" else knee_at(tmp_path / "a", 800.0)
    other = tmp_path / "b"
    other.mkdir()
    whole = (one / folder.RESULT).read_text(encoding="utf-8")
    refused = 0
    for place in [place for place in places(json.loads(whole)) if len(place) < 4]:
        result = holder = json.loads(whole)
        for key in place[:-1]:
            holder = holder[key]
        if wrong == "gone":
            del holder[place[-1]]
        else:
            holder[place[-1]] = wrong
        (other / folder.RESULT).write_text(json.dumps(result), encoding="utf-8")
        for pair in ((one, other), (other, one)):
            try:
                told = comparing.compare(*pair)
            except (folder.FolderError, NotComparable) as error:
                refused += 1
                assert str(error)
            else:
                json.dumps(comparing.plain(told), allow_nan=False)
                assert comparing.lines(told, 0)
                assert comparing.html(told, "en")
    assert refused > 10


def test_it_is_told_as_lines_as_json_and_as_a_page(tmp_path: Path) -> None:
    one, other = made(tmp_path / "a", varying(1)), made(tmp_path / "b", varying(2, took=0.008))
    told = comparing.compare(one, other)
    lines = comparing.lines(told, 0)
    assert lines[0].split() == ["a", "b"]
    assert any(line.startswith("answer p99") and line.endswith("worse") for line in lines)
    assert lines[-1] == told.found.told.en
    assert comparing.lines(told, 1)[-1] == told.found.told.zh
    plain = comparing.plain(told)
    assert plain["worse"] is True
    assert {row["name"]: row["change"] for row in plain["rows"]} == changes(one, other)
    assert all(row["before"] is None for row in plain["rows"] if row["name"] == "added p99")
    root = parsed(comparing.html(told, "zh"))
    (judgement,) = [one for one in root.all("p") if "judgement" in one.attributes.get("class", "")]
    assert judgement.attributes["class"] == "judgement worse"
    assert judgement.said("zh-CN") == told.found.told.zh
    assert len(root.all("tbody")[0].all("tr")) == len(told.found.rows)
