"""``tidegate loadtest`` as a user runs it: a node of its own, real Locust, real files."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.commands import loadtest as loadtest_command
from gateway.commands.cli import build

LOOSE = ("--check-p99", "10000", "--added-p99", "10000", "--errors", "0.5")


def run(*arguments: str, within: float = 100.0) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "gateway", "loadtest", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, timeout=within, check=False)


@pytest.mark.slow
def test_five_seconds_of_a_comment_storm(tmp_path: Path) -> None:
    out = tmp_path / "report"
    done = run("comment-storm", "--users", "20", "--rate", "100", "--duration", "5", "--out", str(out), *LOOSE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""  # quiet in a pipe
    assert "kept          wrong verdicts: 0 of" in done.stdout
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert {objective["name"]: objective["state"] for objective in result["objectives"]} == dict.fromkeys(
        ("check p99", "added p99", "error rate", "wrong verdicts", "messages"), "kept"
    )
    assert result["figures"]["messages"] > 50
    assert result["figures"]["verdicts"]["pass"] > 40
    assert result["figures"]["cpu_us"]["gateway"] > 0
    # What the gateway counted is what was answered: nothing was lost on the way.
    counted = [sample["messages"] for sample in result["gateway"]["samples"] if "messages" in sample]
    assert counted[-1] >= result["figures"]["messages"]
    for name in ("report.md", "locust.html", "locust.json", "throughput.svg", "latency.svg", "verdicts.svg"):
        assert (out / name).stat().st_size > 0, name


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nonsense"], "choose one of comment-storm"),
        (["comment-storm", "--shape", "round"], "choose one of ramp"),
        (["comment-storm", "--machine", "big"], "write its cores"),
        (["comment-storm", "--host", "http://10.0.0.1"], "--i-own-this-host"),
        (["comment-storm", "--host", "http://127.0.0.1:1", "--control", "http://10.0.0.1"], "--i-own-this-host"),
        (["comment-storm", "--token-file", "x"], "--control"),
        (["comment-storm", "--workers", "4096", "--pin"], "no processor for the load"),
        (["comment-storm", "--duration", "soon"], "“soon” is not a time"),
        (["comment-storm", "--duration", "-5"], "“-5” is not a time"),
        (["comment-storm", "--duration", "1500ms"], "at least 2s"),
    ],
)
def test_usage(arguments: list[str], told: str, tmp_path: Path) -> None:
    answer = CliRunner().invoke(build(["loadtest"]), ["loadtest", *arguments, "--out", str(tmp_path)])
    assert (answer.exit_code, told in answer.output) == (2, True), answer.output


@pytest.mark.parametrize(
    ("text", "seconds"), [("30", 30.0), ("2.5", 2.5), ("45s", 45.0), ("10m", 600.0), ("1h30m", 5400.0)]
)
def test_a_duration_has_a_unit_or_is_seconds(text: str, seconds: float) -> None:
    assert loadtest_command._seconds(text) == seconds


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loadtest_command, "find_spec", lambda name: None if name == "locust" else object())
    answer = CliRunner().invoke(build(["loadtest"]), ["loadtest", "comment-storm"])
    assert answer.exit_code == 2
    assert "needs locust: pip install 'tidegate[load]'" in answer.output
