"""``tidegate loadtest`` as a user runs it: a node of its own, real Locust, real files."""

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.commands import loadtest as loadtest_command
from gateway.commands.cli import build
from loadtest.asked import Asked
from loadtest.judging import folder
from loadtest.judging.folder import FolderError
from loadtest.run import report
from rig import process
from tests.loadtest import recorded

Eventually = Callable[..., Awaitable[Any]]
LOOSE = (
    "--check-p99",
    "10000",
    "--added-p99",
    "10000",
    "--answer-p99",
    "10000",
    "--errors",
    "0.5",
    "--late-p99",
    "5000",
)


def run(*arguments: str, within: float = 100.0) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "gateway", "loadtest", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, timeout=within, check=False)


@pytest.mark.slow
def test_five_seconds_of_a_comment_storm(tmp_path: Path) -> None:
    out = tmp_path / "report"
    done = run("comment-storm", "--users", "20", "--rate", "100", "--duration", "5", "--out", str(out), *LOOSE)
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    # Whether this machine was left alone meanwhile is not ours to say: the exit code is that of the judgement, and
    # what makes a run void may only be the machine.
    assert done.returncode == {"kept": 0, "void": 3}[result["state"]], done.stdout + done.stderr
    assert {reason["code"] for reason in result["void"]} <= {"crowded", "gap", "stolen"}
    assert done.stderr == ("" if result["state"] == "kept" else result["sentence"]["en"] + "\n")  # quiet in a pipe
    assert "kept          wrong verdicts: 0 of" in done.stdout
    assert {objective["name"]: objective["state"] for objective in result["objectives"]} == dict.fromkeys(
        ("check p99", "added p99", "answer p99", "error rate", "wrong verdicts", "messages"), "kept"
    ) or result["direct"] is None
    assert result["figures"]["messages"] > 50
    assert result["figures"]["verdicts"]["pass"] > 40
    assert result["figures"]["cpu_us"]["gateway"] > 0
    # What the gateway counted is what was answered: nothing was lost on the way.
    counted = [sample["messages"] for sample in result["gateway"]["samples"] if "messages" in sample]
    assert counted[-1] >= result["figures"]["messages"]
    assert all(second["lag"] for second in result["gateway"]["seconds"][1:4])
    for name in ("report.html", "locust.html", "locust.json"):
        assert (out / name).stat().st_size > 0, name


@pytest.mark.slow
def test_two_processes_make_one_record(tmp_path: Path) -> None:
    """What Locust's master counted and what we did, each from its workers, is the same to the last message."""
    out = tmp_path / "report"
    done = run(
        "comment-storm", "--users", "10", "--rate", "80", "--duration", "4", "--processes", "2", "--no-direct",
        "--out", str(out), "--shape", "soak", *LOOSE,
    )  # fmt: skip
    assert done.returncode in (0, 3), done.stdout + done.stderr
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    seconds = result["gateway"]["seconds"]
    assert max(second["processes"] for second in seconds) == 2
    counted = sum(sum(verdicts.values()) for second in seconds for verdicts in second["verdicts"].values())
    counted += sum(sum(second["errors"].values()) for second in seconds)
    locust = json.loads((out / "locust.json").read_text(encoding="utf-8"))
    assert counted == sum(entry["num_requests"] for entry in locust) > 100
    assert result["figures"]["cpu_us"]["load"] > 0


@pytest.mark.slow
async def test_a_run_that_is_told_to_end_leaves_nothing_behind(tmp_path: Path, eventually: Eventually) -> None:
    out = tmp_path / "report"
    argv = [sys.executable, "-m", "gateway", "loadtest", "comment-storm", "--users", "5", "--rate", "20",
            "--duration", "90", "--no-direct", "--out", str(out)]  # fmt: skip
    quiet = subprocess.DEVNULL
    running = await asyncio.create_subprocess_exec(*argv, stdout=quiet, stderr=quiet)
    await eventually((out / "gateway.jsonl").exists, 60)
    started = process.children(running.pid)
    assert len(started) > 4  # the node's processes, the platform, Locust
    running.terminate()
    assert await asyncio.wait_for(running.wait(), 60) == 128 + signal.SIGTERM
    await eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in started), 30)
    with pytest.raises(FolderError, match="broken off"):
        folder.read(out)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nonsense"], "choose one of comment-storm"),
        (["comment-storm", "--shape", "round"], "choose one of ramp"),
        (["comment-storm", "--machine", "big"], "write its cores"),
        (["comment-storm", "--host", "http://10.0.0.1"], "--i-own-this-host"),
        (["comment-storm", "--host", "http://127.0.0.1:1", "--control", "http://10.0.0.1"], "--i-own-this-host"),
        (["comment-storm", "--token-file", "x"], "--control"),
        (["comment-storm", "--workers", "200", "--pin"], "no processor for the load"),
        (["comment-storm", "--duration", "soon"], "“soon” is not a time"),
        (["comment-storm", "--duration", "-5"], "“-5” is not a time"),
        (["comment-storm", "--duration", "1500ms"], "at least 2s"),
        (["--rate", "-1", "comment-storm"], "--rate"),
        (["comment-storm", "--rate", "nan"], "--rate"),
        (["comment-storm", "--users", "-3"], "--users"),
        (["comment-storm", "--answer-p99", "-1"], "--answer-p99"),
        (["comment-storm", "--check-p99", "inf"], "--check-p99"),
        (["comment-storm", "--errors", "1.5"], "--errors"),
        (["comment-storm", "--processes", "0"], "--processes"),
        (["comment-storm", "--processes", "65"], "--processes"),
        (["comment-storm", "--users", "200001"], "--users"),
        (["comment-storm", "--workers", "255"], "--workers"),
        (["comment-storm", "--lang", "fr"], "not one of en, zh"),
        (["comment-storm", "--find-knee", "--rate", "100"], "--rate is not for --find-knee"),
        (["comment-storm", "--find-knee", "--shape", "ramp"], "--shape is not for --find-knee"),
        (["comment-storm", "--find-knee", "--web"], "--web is not for --find-knee"),
        (["comment-storm", "--find-knee", "--knee-from", "900", "--knee-to", "100"], "--knee-from is above --knee-to"),
    ],
)
def test_usage(arguments: list[str], told: str, tmp_path: Path) -> None:
    answer = CliRunner().invoke(build(["loadtest"]), ["loadtest", *arguments, "--out", str(tmp_path)])
    assert (answer.exit_code, told in plain(answer.output)) == (2, True), answer.output


def plain(output: str) -> str:
    """A message without the frame and the line breaks that a terminal's width puts into it."""
    return " ".join(re.sub(r"\x1b\[[\d;]*m|[│╭╮╰╯─]", " ", output).split())


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(build(["loadtest"]), ["loadtest", *arguments])


def test_a_suite_alone_is_a_run() -> None:
    assert plain(invoke("run", "nonsense").output) == plain(invoke("nonsense").output)
    assert invoke("-h").exit_code == 0
    assert all(name in invoke("-h").output for name in ("run", "compare"))


def test_a_taken_port_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        answer = invoke("comment-storm", "--web", "--web-port", port, "--out", str(tmp_path / "out"))
    assert (answer.exit_code, f"Port {port} is taken" in answer.output) == (2, True), answer.output
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_a_run_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("{}", encoding="utf-8")
    answer = invoke("comment-storm", "--out", str(tmp_path))
    assert (answer.exit_code, "holds the result of another run" in answer.output) == (2, True), answer.output


def recorded_in(out: Path, **asked: object) -> Path:
    out.mkdir()
    order = recorded.ORDER._replace(shape="soak", seconds=10.0, **asked)  # type: ignore[arg-type]
    lag = 0.2 if out.name.startswith("void") else 0.001
    took = 0.02 if out.name.startswith("slow") else 0.002
    report(Asked(order.suite, out), order, recorded.steady(lag=lag, took=took), None, {"cpu": "x"})
    return out


def test_two_runs_are_compared_by_their_folders(tmp_path: Path) -> None:
    one, same, slow = (str(recorded_in(tmp_path / name)) for name in ("one", "same", "slow"))
    assert invoke("compare", one, same, "--lang", "en").exit_code == 0
    worse = invoke("compare", one, slow, "--lang", "en")
    assert (worse.exit_code, "In the second run worse: answer p50" in worse.output) == (1, True)
    told = json.loads(invoke("compare", one, slow, "--json").output)
    assert told["worse"] is True
    page = tmp_path / "page.html"
    assert invoke("compare", one, slow, "--lang", "zh", "--html", str(page)).exit_code == 1
    assert "第二次测试中" in page.read_text(encoding="utf-8")
    assert invoke("compare", one, slow, "--html", str(tmp_path / "no" / "page.html")).exit_code == 2


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    one, other, void = (
        str(recorded_in(tmp_path / name, suite=suite))
        for name, suite in (("one", "comment-storm"), ("other", "live-show"), ("void", "comment-storm"))
    )
    half = tmp_path / "half"
    half.mkdir()
    (half / "result.json").write_text('{"format": 1, "kind": "run", "sta', encoding="utf-8")
    for arguments, code, said in (
        (
            (one, other),
            2,
            "cannot be compared: they were asked for different things: suite comment-storm and live-show",
        ),
        ((one, void), 3, "cannot be compared: the second run: Void"),
        ((one, str(half)), 2, "is not whole"),
        ((one, str(tmp_path)), 2, "this is not the folder of a load test"),
        ((one, str(tmp_path / "nowhere")), 2, "does not exist"),
    ):
        answer = invoke("compare", *arguments, "--lang", "en")
        assert (answer.exit_code, said in answer.output) == (code, True), answer.output


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
