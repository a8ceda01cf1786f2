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


def wait_until_ready(node: subprocess.Popen[bytes], within: float, data: Path | None = None) -> bool:
    """Until it says ``ready``; false where it ends before, or does not say so in ``within`` seconds.

    ``data``: the node's data folder. A node whose log is no terminal says it there, by its supervisor's socket; the
    demo, and a node of an earlier version, by a line on standard output, which a thread reads to the end, so that the
    pipe never fills.
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
    while not ready.wait(0.05) and not (data is not None and says_ready(data)):
        if node.poll() is not None or time.monotonic() > until:
            return False
    return True


def says_ready(data: Path) -> bool:
    """Whether the supervisor of this data folder lives and says that everything answers."""
    try:
        asked = channel.call(Folders(data).supervisor_socket, {"command": "status"}, timeout=5.0)
        return bool(asyncio.run(asked).get("ready"))
    except (OSError, channel.ChannelError):
        return False


def children(data: Path, within: float = 10.0) -> dict[str, int]:
    """Process ids by name of those that run for a node with this data folder. Raises ``ChannelError``."""
    answer = asyncio.run(channel.call(Folders(data).supervisor_socket, {"command": "status"}, timeout=within))
    return {name: child["pid"] for name, child in answer["children"].items() if child["pid"]}
