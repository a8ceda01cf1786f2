"""A child comes back when it dies, later and later, and goes when it is told to."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import structlog

from gateway.common.posix import STANDARD_ERROR
from gateway.node import child as child_module
from gateway.node.child import LONGEST_PAUSE, SERVED_PAUSE, Child, pause_after
from gateway.node.crew import Crew

Eventually = Callable[..., Awaitable[Any]]


def test_pauses_grow_to_a_bound() -> None:
    pauses = [pause_after(deaths) for deaths in range(1, 20)]
    assert pauses == sorted(pauses)
    assert pauses[0] == 0.1
    assert pauses[-1] == LONGEST_PAUSE


async def test_a_killed_child_is_started_again(eventually: Eventually) -> None:
    child = Child("sleeper", lambda: [sys.executable, "-c", "import time; time.sleep(60)"])
    child.start()
    first = await eventually(lambda: child.pid)
    child.signal(signal.SIGKILL)
    await eventually(lambda: child.pid not in (None, first))
    assert child.restarts == 1
    await child.stop(5)
    assert child.pid is None
    assert child.state == "stopped"


async def test_a_child_that_ignores_sigterm_is_killed(eventually: Eventually) -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    child = Child("deaf", lambda: [sys.executable, "-c", code])
    child.start()
    await eventually(lambda: child.pid)
    await child.stop(0.2)
    assert child.pid is None


async def test_a_program_that_does_not_exist_is_tried_again_until_stopped(eventually: Eventually) -> None:
    child = Child("absent", lambda: ["/nonexistent/program"])
    child.start()
    await eventually(lambda: child.restarts >= 2)
    await child.stop(1)
    assert child.state == "stopped"


async def test_children_go_with_a_killed_supervisor(eventually: Eventually, tmp_path: Path) -> None:
    code = (
        "import asyncio, sys, pathlib\n"
        "from gateway.node.child import Child\n"
        "async def main():\n"
        "    child = Child('sleeper', lambda: [sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "    child.start()\n"
        "    while child.pid is None: await asyncio.sleep(0.01)\n"
        f"    pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(child.pid))\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.DEVNULL)
    text = await eventually(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    parent.kill()
    await parent.wait()

    def gone() -> bool:
        status = Path(f"/proc/{text}/stat")
        return not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"

    await eventually(gone)


def _ignored(pid: int) -> set[int]:
    """The signals that a process ignores (proc(5))."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    mask = int(next(line for line in lines if line.startswith("SigIgn:")).split()[1], 16)
    return {number for number in range(1, 65) if mask >> (number - 1) & 1}


async def test_a_child_is_out_of_reach_of_the_terminals_signals_and_shares_our_session(eventually: Eventually) -> None:
    child = Child("sleeper", lambda: [sys.executable, "-c", "import time; time.sleep(60)"])
    child.start()
    pid = await eventually(lambda: child.pid)
    assert os.getpgid(pid) != os.getpgid(0)  # Ctrl-C goes to a group
    assert os.getsid(pid) == os.getsid(0)  # niceness counts within a session
    assert signal.SIGTTOU in _ignored(pid)  # what it writes to a terminal does not stop it
    await child.stop(5)


def _own_standard_error() -> str:
    return str(Path("/proc/self/fd/2").readlink())


def _sleeper() -> list[str]:
    return [sys.executable, "-c", "import time; time.sleep(60)"]


async def _died(child: Child, eventually: Eventually, cases: list[Any]) -> dict[str, Any]:
    await eventually(lambda: any(case["event"] == "child.died" for case in cases))
    await child.stop(5)
    return next(case for case in cases if case["event"] == "child.died")


@pytest.mark.parametrize(
    ("code", "cause", "words"),
    [
        ("import sys; sys.stderr.write('first\\nlast words\\n\\n'); sys.exit(3)", "exit code 3", "last words"),
        ("import no_such_module", "exit code 1", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "signal SIGSEGV", ""),
        ("", "exit code 0", ""),
    ],
)
async def test_a_death_is_told_with_its_cause(eventually: Eventually, code: str, cause: str, words: str) -> None:
    with structlog.testing.capture_logs() as cases:
        child = Child("dying", lambda: [sys.executable, "-c", code])
        child.start()
        told = await _died(child, eventually, cases)
    assert (told["cause"], told["said"]) == (cause, words)


async def test_what_was_said_long_before_is_no_last_word(
    eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "LAST_WORDS", -1.0)  # whatever it says is too long ago
    with structlog.testing.capture_logs() as cases:
        child = Child("dying", lambda: [sys.executable, "-c", "import sys; sys.exit('WARNING of its start')"])
        child.start()
        told = await _died(child, eventually, cases)
    said = [(case["said"], case["pid"]) for case in cases if case["event"] == "child.said"]
    started = [case["child_pid"] for case in cases if case["event"] == "child.started"]
    assert said[0] == ("WARNING of its start", started[0]), "though it had ended when this was read"
    assert told["said"] == ""


async def test_a_start_that_fails_is_told_as_such(eventually: Eventually) -> None:
    with structlog.testing.capture_logs() as cases:
        child = Child("absent", lambda: ["/nonexistent/program"])
        child.start()
        told = await _died(child, eventually, cases)
    assert told["cause"] == "not started: No such file or directory"


async def test_what_a_child_says_becomes_lines_of_ours(eventually: Eventually) -> None:
    """On either stream: a state server logs to its standard output."""
    code = "import sys; print('hello', file=sys.stderr, flush=True); print('out', flush=True); sys.stdin.close()"
    with structlog.testing.capture_logs() as cases:
        child = Child("talker", lambda: [sys.executable, "-c", code], tells_on_output=True)
        child.start()
        await eventually(lambda: {"hello", "out"} <= {case.get("said") for case in cases})
        await child.stop(5)
    told = next(case for case in cases if case.get("said") == "out")
    # It ends and is started again and again: one of its processes.
    assert told.pop("pid") in {case["child_pid"] for case in cases if case["event"] == "child.started"}
    assert told == {"event": "child.said", "log_level": "warning", "process": "talker", "said": "out"}


async def test_a_program_of_ours_takes_over_our_standard_error(eventually: Eventually, tmp_path: Path) -> None:
    """So that its log outlives a supervisor that does not read, or is gone. What it says past its log comes by the
    pipe, whoever says it."""
    code = (
        "import os, pathlib\n"
        "from gateway.common.posix import take_standard_error\n"
        "take_standard_error()\n"
        f"assert {STANDARD_ERROR!r} not in os.environ\n"
        "os.write(2, b'last words\\n')\n"
        "import sys\n"
        "assert not os.get_inheritable(sys.stderr.fileno())\n"
        "target = os.readlink(f'/proc/self/fd/{sys.stderr.fileno()}')\n"
        f"pathlib.Path({str(tmp_path / 'target')!r}).write_text(target)\n"
        "import time; time.sleep(60)\n"
    )
    with structlog.testing.capture_logs() as cases:
        child = Child("ours", lambda: [sys.executable, "-c", code])
        child.start()
        target = await eventually(lambda: (tmp_path / "target").exists() and (tmp_path / "target").read_text())
        assert target == _own_standard_error()
        await eventually(lambda: any(case.get("said") == "last words" for case in cases))
        await child.stop(5)


async def test_pauses_count_by_cause(eventually: Eventually) -> None:
    """An operator's kill is not paid for with the pause of a crash."""
    child = Child("sleeper", _sleeper)
    child.start()
    with structlog.testing.capture_logs() as cases:
        for number in (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM):
            before = len(cases)
            pid = await eventually(lambda: child.pid)
            os.kill(pid, number)
            await eventually(lambda before=before: any(c["event"] == "child.died" for c in cases[before:]))
    await child.stop(5)
    pauses = [case["pause"] for case in cases if case["event"] == "child.died"]
    assert pauses == [pytest.approx(0.1, abs=0.02), pytest.approx(0.2, abs=0.02), pytest.approx(0.1, abs=0.02)]


def test_what_was_at_work_pauses_for_less() -> None:
    assert pause_after(30, SERVED_PAUSE) == SERVED_PAUSE < LONGEST_PAUSE


async def test_of_two_that_are_killed_again_and_again_one_is_always_up(eventually: Eventually) -> None:
    """Both are killed whenever they run: without the crew both would soon sit out their longest pause together."""
    crew = Crew()

    async def answers() -> bool:
        return True

    pair = [Child(f"worker-{number}", _sleeper, answers=answers, crew=crew) for number in (0, 1)]
    for child in pair:
        child.start()
    for _ in range(12):
        await eventually(lambda: any(child.pid for child in pair))
        living = {child: child.pid for child in pair if child.pid is not None}
        for pid in living.values():
            os.kill(pid, signal.SIGKILL)
        await eventually(lambda living=living: all(child.pid != pid for child, pid in living.items()))
        assert any(child.up for child in pair)
    assert sum(child.restarts for child in pair) >= 12
    for child in pair:
        await child.stop(5)
