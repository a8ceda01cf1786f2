"""A task that loses a cancellation ends all the same."""

import asyncio

from gateway.common.ending import end


async def test_a_lost_cancellation() -> None:
    lost = 0

    async def deaf() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lost += 1
                if lost > 2:
                    raise

    async def good() -> None:
        await asyncio.Event().wait()

    tasks = [asyncio.create_task(deaf()), asyncio.create_task(good())]
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await end(tasks)
    assert lost == 3
    assert all(task.cancelled() for task in tasks)
    await end([])
