"""A node of ours, started by ``gateway run`` with a pipe for its output: when it is ready, and its processes."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import threading
import time
from pathlib import Path

from gateway.common import channel
from gateway.common.folders import Folders


def wait_until_ready(node: subprocess.Popen[bytes], within: float) -> bool:
    """Until it says ``ready``; false where it ends before, or does not say so in ``within`` seconds.

    Its output is read to the end by a thread, so that the pipe never fills.
    """
    output = node.stdout
    if output is None:
        raise ValueError("the node was started without a pipe for its output")
    ready = threading.Event()

    def read() -> None:
        with contextlib.suppress(ValueError):  # closed, because everything ends
            for line in output:
                if line.strip() == b"ready":
                    ready.set()

    threading.Thread(target=read, daemon=True).start()
    until = time.monotonic() + within
    while not ready.wait(0.05):
        if node.poll() is not None or time.monotonic() > until:
            return False
    return True


def children(data: Path, within: float = 10.0) -> dict[str, int]:
    """Process ids by name of those that run for a node with this data folder. Raises ``ChannelError``."""
    answer = asyncio.run(channel.call(Folders(data).supervisor_socket, {"command": "status"}, timeout=within))
    return {name: child["pid"] for name, child in answer["children"].items() if child["pid"]}
