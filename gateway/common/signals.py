"""What tells a process to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable


def on_stop(then: Callable[[], object]) -> None:
    """Let SIGTERM and SIGINT call ``then`` on the running loop, each time, instead of ending the process."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, then)
