"""A child comes back when it dies, later and later, and goes when it is told to."""

import asyncio
import signal
import sys

from gateway.child import LONGEST_PAUSE, Child, pause_after


def test_pauses_grow_to_a_bound() -> None:
    pauses = [pause_after(deaths) for deaths in range(1, 20)]
    assert pauses == sorted(pauses)
    assert pauses[0] == 0.1
    assert pauses[-1] == LONGEST_PAUSE


async def running(child: Child, other_than: int | None = None) -> int:
    async with asyncio.timeout(10):
        while child.pid is None or child.pid == other_than:
            await asyncio.sleep(0.01)
    return child.pid


async def test_a_killed_child_is_started_again() -> None:
    child = Child("sleeper", lambda: [sys.executable, "-c", "import time; time.sleep(60)"])
    child.start()
    first = await running(child)
    child.signal(signal.SIGKILL)
    second = await running(child, other_than=first)
    assert second != first
    assert child.restarts == 1
    await child.stop(5)
    assert child.pid is None
    assert child.state == "stopped"


async def test_a_child_that_ignores_sigterm_is_killed() -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    child = Child("deaf", lambda: [sys.executable, "-c", code])
    child.start()
    await running(child)
    await child.stop(0.2)
    assert child.pid is None


async def test_a_program_that_does_not_exist_is_tried_again_until_stopped() -> None:
    child = Child("absent", lambda: ["/nonexistent/program"])
    child.start()
    async with asyncio.timeout(10):
        while child.restarts < 2:
            await asyncio.sleep(0.01)
    await child.stop(1)
    assert child.state == "stopped"
