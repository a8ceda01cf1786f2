"""Ending tasks that talk through redis-py."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

AGAIN = 0.1  # seconds after which a task that goes on is cancelled again


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait until they have ended.

    Once is not enough: a cancellation that arrives while redis-py handles an answer can be lost in there (seen about
    once in ten stops right after a read), and the task would go on for ever.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN)
