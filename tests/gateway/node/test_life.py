"""A process that was started by the program before this one is waited for, heard and told as one of our own."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from gateway.node import life
from gateway.node.child import Child
from gateway.node.life import Life

Eventually = Callable[..., Awaitable[Any]]


def begin(code: str) -> Life:
    return life.begin([sys.executable, "-c", code], inherit=(), environ=None, tells_on_output=False)


async def test_its_end_is_seen_by_whoever_adopts_it() -> None:
    """What is handed on are two numbers; here both programs are one process."""
    first = begin("import sys; sys.stdin.close(); print('last words', file=sys.stderr); sys.exit(7)")
    second = Life(first.pid, os.dup(first.pipe))
    heard: list[str] = []
    second.hear(heard.append)
    assert await asyncio.wait_for(second.ended(), 30) == 7
    assert heard == ["last words"]
    assert second.over
    first._process.returncode = 7  # type: ignore[union-attr]  # it was waited for, by the other
    first.hush()


async def test_one_that_has_ended_before_it_is_adopted() -> None:
    first = begin("raise SystemExit(3)")
    os.waitid(os.P_PID, first.pid, os.WEXITED | os.WNOWAIT)  # noqa: ASYNC222 - it ends at once
    second = Life(first.pid, os.dup(first.pipe))
    assert await asyncio.wait_for(second.ended(), 30) == 3
    first._process.returncode = 3  # type: ignore[union-attr]
    first.hush()


async def test_children_hear_nothing_of_a_service_manager(eventually: Eventually) -> None:
    names = " ".join(life.OURS_ALONE)
    code = f"import os, sys; print([name for name in '{names}'.split() if name in os.environ], file=sys.stderr)"
    told = {**os.environ, **dict.fromkeys(life.OURS_ALONE, "1")}
    one = life.begin([sys.executable, "-c", code], inherit=(), environ=told, tells_on_output=False)
    heard: list[str] = []
    one.hear(heard.append)
    assert await asyncio.wait_for(one.ended(), 30) == 0
    assert heard == ["[]"]


def sleeper() -> list[str]:
    return [sys.executable, "-c", "import time; time.sleep(60)"]


async def test_an_adopted_child_is_kept_running(eventually: Eventually) -> None:
    first = begin("import time; time.sleep(60)")
    child = Child("sleeper", sleeper)
    child.adopt({"name": "sleeper", "restarts": 4, "program": 1, "pid": first.pid, "pipe": os.dup(first.pipe)}, 2)
    assert (child.pid, child.older) == (first.pid, True)
    assert child.handed_on(2)["program"] == 1
    child.signal(signal.SIGKILL)
    await eventually(lambda: child.pid not in (None, first.pid))
    assert (child.restarts, child.older) == (5, False)
    assert child.handed_on(2)["program"] == 2
    await child.stop(5)
    first._process.returncode = -9  # type: ignore[union-attr]
    first.hush()


async def test_one_that_is_renewed_has_not_died(eventually: Eventually) -> None:
    child = Child("sleeper", sleeper)
    child.start()
    first = await eventually(lambda: child.pid)
    await child.renew()
    await eventually(lambda: child.pid not in (None, first))
    assert child.restarts == 0
    await child.stop(5)


async def test_one_that_retires_is_not_started_again(eventually: Eventually) -> None:
    child = Child("sleeper", sleeper)
    child.start()
    await eventually(lambda: child.pid)
    child.retire()
    assert (child.state, child.up) == ("retiring", False)
    child.signal(signal.SIGTERM)
    await asyncio.wait_for(child.gone(), 30)
    assert (child.pid, child.restarts, child.state) == (None, 0, "stopped")
