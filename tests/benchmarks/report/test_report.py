"""From a record to objectives, page and plots."""

import copy
import io
import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from rich.console import Console

from benchmarks.report import record, table
from benchmarks.report.objectives import answers
from benchmarks.report.page import figures, write
from benchmarks.studies import growth, peers
from benchmarks.websocket import run as websocket


def _round(factor: float, *, check: bool) -> dict[str, Any]:
    def opened(p50: float) -> dict[str, Any]:
        told = {"p50_us": p50, "p99_us": p50 * 4, "p999_us": p50 * 9, "late_p99_us": 60, "offered": 1000.0,
                "us": {"gateway": 10 * factor}, "rest_busy": 0.56}  # fmt: skip
        return {**told, "check": {"p50_us": 300.0, "p99_us": 900.0, "within_objective": 0.995}} if check else told

    return {
        "saturated": {
            "per_second": 60_000 / factor,
            "us": {"gateway": 15 * factor, "state": 5 * factor, "other": 0.1, "upstream": 8.0, "load": 6.0},
            "busy": {"gateway": 0.99, "state": 0.1, "other": 0.0, "upstream": 0.4, "load": 0.4},
            "memory": 50 << 20,
            "state_memory": 10 << 20,
        },
        "low": opened(200 * factor),
        "high": opened(400 * factor),
        "direct": opened(100),
        "asleep": {"p50_us": 95, "p99_us": 3_140, "max_us": 7_000, "paused": 0.031},
        "idle": {"p50_us": 80, "p99_us": 2_480, "max_us": 3_000, "paused": 0.029},
    }


def _peers() -> dict[str, Any]:
    costs = {"nginx": 1.0, "tidegate": 1.8, "nginx-lua": 2.5, "aiohttp": 12.0}
    told = {}
    for key, factor in costs.items():
        rounds = [_round(factor * noise, check=key == "tidegate") for noise in (1.0, 1.1, 0.9)]
        told[key] = {"name": key.title(), "rounds": rounds, "summary": peers.summary(rounds)}
    return {"systems": told, "ratios": peers.ratios(told)}


def _growth() -> dict[str, Any]:
    def row(x: str, value: int, us: float) -> dict[str, Any]:
        cell = {"median": us, "low": us - 1, "high": us + 1}
        return {x: value, "gateway_us": cell, "state_us": cell, "nginx_us": cell, "to_nginx": cell, "memory": 1 << 20}

    return {
        "words": [row("words", 1_000, 30.0), row("words", 1_000_000, 31.5)],
        "connections": [row("connections", 10, 30.0), row("connections", 10_000, 45.0)],
        "reload": [{"words": 1_000_000, "reload_seconds": 30.0, "failed": 0, "during_longest_gap_us": 20_000}],
    }


def _profile() -> list[dict[str, Any]]:
    return [
        {"system": "Ours", "load": "saturated", "us": 50.0, "objects": {"kernel": 15.0, "others": 35.0}},
        {"system": "nginx", "load": "saturated", "us": 20.0, "objects": {"kernel": 18.0, "nginx": 2.0}},
    ]


def _websocket() -> dict[str, Any]:
    def measured(factor: float) -> dict[str, Any]:
        busy = {"gateway": 0.9, "state": 0.2, "upstream": 0.3, "load": 0.2}
        return {"us": {"gateway": 12 * factor, "state": 5.0}, "busy": busy, "per_second": 30_000 / factor,
                "memory": 60 << 20, "p50_us": 500 * factor, "p99_us": 900 * factor}  # fmt: skip

    told = {}
    for part, costs in (("judged", {"nginx": 1, "tidegate": 4, "aiohttp": 60}),
                        ("broadcast", {"nginx": 1, "tidegate": 1.5, "aiohttp": 4})):  # fmt: skip
        systems = [Named(key, key.title()) for key in costs]
        rounds = {}
        for key, factor in costs.items():
            each = [measured(factor * noise) for noise in (1.0, 1.1, 0.9)]
            rounds[key] = [{"saturated": one, "half": one} for one in each] if part == "judged" else each
        told[part] = websocket.summed(part, systems, rounds)
    cell = {"median": 50.0, "low": 49.0, "high": 51.0}
    row = {"gateway_us": cell, "state_us": cell, "nginx_us": cell, "to_nginx": cell, "memory": 1 << 20}
    idle = {"sessions": 10_000, "bytes_each": 5_120.0, "missing": 0, "opened_per_second": 999.7}
    sessions = [{"sessions": 10, **row}, {"sessions": 9_750, **row}]
    return {**told, "sessions": sessions, "idle": idle}


class Named(NamedTuple):
    """As much of a system as a summary needs."""

    key: str
    name: str


@pytest.fixture
def kept() -> dict[str, Any]:
    head = record.begin({"rounds": 3, "seconds": 4.0})
    micro = [{"part": "folding", "case": "a text", "us": 2.0, "plain": "a loop", "plain_us": 20.0, "ratio": 0.1}]
    return {**head, "peers": _peers(), "growth": _growth(), "websocket": _websocket(), "micro": micro,
            "profile": _profile()}  # fmt: skip


def test_a_summary_keeps_median_and_ends(kept) -> None:
    cell = kept["peers"]["systems"]["nginx"]["summary"]["gateway_us"]
    assert cell == {"median": 15.0, "low": 13.5, "high": 16.5}


def test_lines_that_a_system_has_not_are_left_out(kept) -> None:
    systems = kept["peers"]["systems"]
    assert "check_p99_us" not in systems["nginx"]["summary"]
    assert systems["tidegate"]["summary"]["check_p99_us"]["median"] == 900


def test_what_is_added_is_the_difference_to_the_direct_way(kept) -> None:
    assert kept["peers"]["systems"]["nginx"]["summary"]["added_p50_us"]["median"] == 100


def test_ratios_are_taken_round_by_round(kept) -> None:
    # All rounds carry the same noise in every system, so the ratio has no spread where the figures have.
    found = kept["peers"]["ratios"]["tidegate / nginx"]
    assert found["median"] == pytest.approx(1.8)
    assert found["low"] == pytest.approx(found["high"])
    assert kept["peers"]["ratios"]["tidegate / nginx-lua"]["median"] == pytest.approx(0.72)
    assert kept["peers"]["ratios"]["tidegate / aiohttp"]["median"] == pytest.approx(0.15)


def _told(kept: dict[str, Any]) -> dict[str, str]:
    return {answer.objective.name: answer.told for answer in answers(kept)}


def test_objectives_are_met_missed_or_not_measured(kept) -> None:
    told = _told(kept)
    assert told["CPU per message, beside bare nginx"] == "met"
    assert told["growth of cost, 1,000 to 1,000,000 words"] == "met"
    assert told["growth of cost, 10 to 10,000 connections"] == "missed"
    assert told["growth of cost, one worker to two"] == "not measured"
    assert told["longest silence while 1,000,000 words are reloaded"] == "met"


def test_frames_and_sessions_have_their_objectives(kept) -> None:
    found = {answer.objective.name: answer for answer in answers(kept)}
    assert found["CPU per judged frame, beside the aiohttp relay"].value == pytest.approx(4 / 60)
    assert found["CPU per frame of a broadcast, beside nginx"].value == pytest.approx(1.5)
    assert found["time per judged frame at saturation on one core"].told == "missed"  # 7,500 frames a second
    assert found["memory of each of 10,000 idle sessions"].value == pytest.approx(5.12)
    assert found["time per handshake, 1,000 a second offered"].told == "met"
    assert found["growth of cost, 10 to 10,000 judged sessions"].value == 0


def test_absolute_bounds_stand_beside_what_others_showed(kept) -> None:
    found = {answer.objective.name: answer for answer in answers(kept)}
    assert found["growth of cost, 10 to 10,000 connections"].others == {"nginx": pytest.approx(50.0)}
    theirs = {name: kept["peers"]["systems"][name]["summary"] for name in ("nginx", "nginx-lua")}
    shown = found["check time p99 at 70 % of saturation"].others
    assert shown.pop("a timer") == 2.48
    assert shown == {name: pytest.approx(each["high_p99_us"]["median"] / 1000) for name, each in theirs.items()}
    assert not found["CPU per message, beside bare nginx"].others  # a ratio has its peer in it


def test_fewer_sessions_answer_nothing_of_10_000(kept) -> None:
    kept["websocket"]["idle"]["sessions"] = 1_000
    kept["websocket"]["sessions"][-1]["sessions"] = 1_000
    told = _told(kept)
    assert told["memory of each of 10,000 idle sessions"] == "not measured"
    assert told["idle sessions that a broadcast does not reach"] == "not measured"
    assert told["growth of cost, 10 to 10,000 judged sessions"] == "not measured"


def test_a_record_without_growth_answers_nothing_of_it(kept) -> None:
    told = _told({name: value for name, value in kept.items() if name != "growth"})
    silent = {name for name, answer in told.items() if answer == "not measured"}
    growth_of_sessions = "growth of cost, 10 to 10,000 judged sessions"
    assert silent == {name for name in told if name.startswith("growth") or "reloaded" in name} - {growth_of_sessions}


def test_a_record_is_found_again_by_what_it_holds(kept, tmp_path: Path) -> None:
    older = copy.deepcopy({name: value for name, value in kept.items() if name != "growth"})
    older["begun"] = "2030-01-01T10:00:00+00:00"
    newer = {**{name: value for name, value in kept.items() if name != "peers"}, "begun": "2030-01-02T10:00:00+00:00"}
    trial = {**copy.deepcopy(kept), "begun": "2030-01-03T10:00:00+00:00"}
    assert record.write(older, folder=tmp_path).name == "2030-01-01-1000.json"
    record.write(newer, folder=tmp_path)
    assert record.write(trial, folder=tmp_path, trial=True).name == "2030-01-03-1000-trial.json"

    def file(section: str, **more: bool) -> str:
        found = record.newest(section, folder=tmp_path, **more)
        assert found is not None
        return str(found["file"])

    assert file("peers") == "2030-01-01-1000.json"
    assert file("growth") == "2030-01-02-1000.json"
    assert file("peers", trials=True) == "2030-01-03-1000-trial.json"
    assert record.newest("frames", folder=tmp_path) is None


def test_the_page_shows_every_system_objective_and_its_origin(kept, tmp_path: Path) -> None:
    record.write({**kept, "begun": "2030-01-01T10:00:00+00:00"}, folder=tmp_path / "record")
    target = tmp_path / "performance.md"
    write(target, folder=tmp_path / "record")
    page = target.read_text(encoding="utf-8")
    for system in kept["peers"]["systems"].values():
        assert f"| {system['name']} |" in page
    for answer in answers(kept):
        assert f"| {answer.objective.name} |" in page
    assert "| missed |" in page
    assert "2030-01-01-1000.json" in page
    assert kept["machine"]["kernel"] in page
    assert "| 27.0 (24.3–29.7) |" in page
    assert "### Judged frames" in page
    assert "| 48.0 (43.2–52.8) |" in page
    assert "| 56 | 2,480 | 3,140 | 2.90 |" in page  # how busy the rest was, how late a timer, how long all stood still
    assert "| tidegate / aiohttp | 0.07 |" in page
    assert "| bytes each | 5,120.00 |" in page
    assert "| kernel | 15.0 | 18.0 |" in page
    assert "NaN" not in page


def test_each_curve_comes_from_the_newest_record_that_has_it(kept, tmp_path: Path) -> None:
    for begun, left_out in (("2030-01-01T10:00:00+00:00", "words"), ("2030-01-02T10:00:00+00:00", "connections")):
        curves = {name: rows for name, rows in kept["growth"].items() if name != left_out}
        record.write({**kept, "begun": begun, "growth": curves}, folder=tmp_path / "record")
    found = write(tmp_path / "performance.md", folder=tmp_path / "record")
    assert (found["words"]["file"], found["connections"]["file"]) == ("2030-01-02-1000.json", "2030-01-01-1000.json")
    assert figures(found)["growth"].keys() == kept["growth"].keys()


def test_plots_are_the_same_bytes_for_the_same_record(kept, tmp_path: Path) -> None:
    record.write(kept, folder=tmp_path / "record")
    drawn = []
    for name in ("first", "second"):
        write(tmp_path / f"{name}.md", folder=tmp_path / "record")
        drawn.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert drawn[0] == drawn[1]
    assert set(drawn[0]) == {"peers.svg", "latency.svg", "words.svg", "connections.svg", "sessions.svg"}


def test_without_a_record_the_page_says_so(tmp_path: Path) -> None:
    write(tmp_path / "performance.md", folder=tmp_path)
    assert "No record yet" in (tmp_path / "performance.md").read_text(encoding="utf-8")


def test_a_record_survives_json(kept, tmp_path: Path) -> None:
    path = record.write(kept, folder=tmp_path)
    assert json.loads(path.read_text(encoding="utf-8"))["peers"] == kept["peers"]


def test_the_terminal_shows_the_same(kept) -> None:
    console = Console(width=200, record=True, file=io.StringIO())
    table.peers(console, kept["peers"])
    for name, rows in kept["growth"].items():
        table.columns(console, growth.CURVES[name].title, [growth.flat(row) for row in rows])
    table.websocket(console, kept["websocket"])
    table.profile(console, kept["profile"])
    table.objectives(console, answers(kept))
    shown = console.export_text()
    for wanted in ("27.0 (24.3–29.7)", "tidegate / nginx", "1,000,000", "missed", "48.0 (43.2–52.8)", "bytes each"):
        assert wanted in shown
