"""A process is told to stop, and stops by itself."""

import asyncio
import signal

import pytest

from gateway.common.signals import on_stop


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_whoever_stops_it_is_heard(number: signal.Signals) -> None:
    told = asyncio.Event()
    on_stop(told.set)
    signal.raise_signal(number)
    async with asyncio.timeout(5):
        await told.wait()
