"""What every compared system can do."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Protocol


class Setting(NamedTuple):
    """One set-up that all systems are given. ``words``: entries in the list; ``scratch``: a folder of the run."""

    scratch: Path
    cpu: int
    others_cpu: int
    upstream_port: int
    words: Path
    people: int
    workers: int = 1


class System(Protocol):
    """A gateway under measurement. ``state`` is the process id of its state server, None where it has none."""

    name: str
    port: int

    def start(self, setting: Setting) -> None:
        """Start and wait until it answers."""

    def gateway_pids(self) -> list[int]:
        """The processes whose CPU time is the gateway's."""

    def state_pids(self) -> list[int]:
        """The processes of its state server."""

    def stop(self) -> None:
        """Stop everything that ``start`` started."""
