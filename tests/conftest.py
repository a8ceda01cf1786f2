"""What every test may use."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import settings

pytest_plugins = ("tests.interpreted",)

# A property is about values: how long one example takes on a busy machine says nothing.
settings.register_profile("tidegate", deadline=None)
settings.load_profile("tidegate")

Condition = Callable[[], Any]


@pytest.fixture
def eventually() -> Callable[[Condition, float], Awaitable[Any]]:
    """Wait for something that another process does: asks every 10 ms, fails after ``within`` seconds.

    Gives back the first true value. For things of this process use an event or a fake clock instead.
    """

    async def wait(condition: Condition, within: float = 10.0) -> Any:
        async with asyncio.timeout(within):
            while not (value := condition()):
                await asyncio.sleep(0.01)
            return value

    return wait
