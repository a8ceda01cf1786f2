"""From a record to objectives, page and plots."""

import copy
import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks import growth, peers, record, report, table
from benchmarks.objectives import answers


def _round(factor: float, *, check: bool) -> dict[str, Any]:
    def opened(p50: float) -> dict[str, Any]:
        told = {"p50_us": p50, "p99_us": p50 * 4, "p999_us": p50 * 9, "late_p99_us": 60, "offered": 1000.0,
                "us": {"gateway": 10 * factor}}  # fmt: skip
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


@pytest.fixture
def kept() -> dict[str, Any]:
    head = record.begin({"rounds": 3, "seconds": 4.0})
    micro = [{"part": "folding", "case": "a text", "us": 2.0, "plain": "a loop", "plain_us": 20.0, "ratio": 0.1}]
    return {**head, "peers": _peers(), "growth": _growth(), "micro": micro}


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


def test_a_record_without_growth_answers_nothing_of_it(kept) -> None:
    told = _told({name: value for name, value in kept.items() if name != "growth"})
    silent = {name for name, answer in told.items() if answer == "not measured"}
    assert silent == {name for name in told if name.startswith("growth") or "reloaded" in name}


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
    report.write(target, folder=tmp_path / "record")
    page = target.read_text(encoding="utf-8")
    for system in kept["peers"]["systems"].values():
        assert f"| {system['name']} |" in page
    for answer in answers(kept):
        assert f"| {answer.objective.name} |" in page
    assert "| missed |" in page
    assert "2030-01-01-1000.json" in page
    assert kept["machine"]["kernel"] in page
    assert "| 27.0 (24.3–29.7) |" in page
    assert "NaN" not in page


def test_plots_are_the_same_bytes_for_the_same_record(kept, tmp_path: Path) -> None:
    record.write(kept, folder=tmp_path / "record")
    drawn = []
    for name in ("first", "second"):
        report.write(tmp_path / f"{name}.md", folder=tmp_path / "record")
        drawn.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert drawn[0] == drawn[1]
    assert set(drawn[0]) == {"peers.svg", "latency.svg", "words.svg", "connections.svg"}


def test_without_a_record_the_page_says_so(tmp_path: Path) -> None:
    report.write(tmp_path / "performance.md", folder=tmp_path)
    assert "No record yet" in (tmp_path / "performance.md").read_text(encoding="utf-8")


def test_a_record_survives_json(kept, tmp_path: Path) -> None:
    path = record.write(kept, folder=tmp_path)
    assert json.loads(path.read_text(encoding="utf-8"))["peers"] == kept["peers"]


def test_the_terminal_shows_the_same(kept) -> None:
    console = Console(width=200, record=True, file=io.StringIO())
    table.peers(console, kept["peers"])
    for name, rows in kept["growth"].items():
        table.columns(console, growth.CURVES[name].title, [growth.flat(row) for row in rows])
    table.objectives(console, answers(kept))
    shown = console.export_text()
    for wanted in ("27.0 (24.3–29.7)", "tidegate / nginx", "1,000,000", "missed"):
        assert wanted in shown
