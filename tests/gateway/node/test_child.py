"""A child comes back when it dies, later and later, and goes when it is told to."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from gateway.node.child import LONGEST_PAUSE, Child, pause_after

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
