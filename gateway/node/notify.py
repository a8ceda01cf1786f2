"""What a service manager is told: that the node is ready, reloads, stops, lives (sd_notify(3)).

One datagram of ``NAME=VALUE`` lines to the socket that NOTIFY_SOCKET names. Without one nothing is said. What cannot be
told is not told: a node does not end because nobody listens.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Mapping

SOONEST = 0.05
"""Seconds between two signs of life, at least: this process has other things to do."""
LONGEST = 20
"""Digits of the time within which one is due."""


class Notify:
    """``environ``: where the service manager says how it is told."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        if self._address.startswith("@"):  # of the abstract namespace, see unix(7)
            self._address = "\0" + self._address[1:]
        self.alive_every = _watchdog(environ) / 2 if self._address else 0.0
        """Seconds between two signs of life; 0 where none is waited for."""

    def ready(self, status: str) -> None:
        """All is served."""
        self._tell("READY=1", f"STATUS={status}")

    def status(self, status: str) -> None:
        """A sentence for whoever looks."""
        self._tell(f"STATUS={status}")

    def reloading(self, status: str) -> None:
        """Something is replaced; ``ready`` follows. The time is that of the manager's own clock."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}", f"STATUS={status}")

    def stopping(self, within: float, status: str) -> None:
        """The end has begun, and takes ``within`` seconds at most, however short the manager's own patience is."""
        self._tell("STOPPING=1", f"EXTEND_TIMEOUT_USEC={round(within * 1e6)}", f"STATUS={status}")

    def alive(self) -> None:
        """For the watchdog."""
        self._tell("WATCHDOG=1")

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        told = "\n".join(line.replace("\n", " ") for line in lines).encode()
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)  # a manager that does not read must not stop a node
            sender.sendto(told, self._address)


def _watchdog(environ: Mapping[str, str]) -> float:
    """Seconds within which a sign of life is due (sd_watchdog_enabled(3)); 0 where none is."""
    wanted, whose = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not wanted.isascii() or not wanted.isdigit() or (whose and whose != str(os.getpid())):
        return 0.0
    due = int(wanted[:LONGEST])  # of 64 bits in systemd: more digits are never due
    return max(due / 1e6, 2 * SOONEST) if due else 0.0
