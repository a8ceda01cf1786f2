"""What every compared system can do."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from rig.rules import RULES

Checks = Literal["none", "plain", "folded"]


class Setting(NamedTuple):
    """One set-up that all systems are given.

    ``cpus`` and ``others_cpus`` are processors as taskset reads them: the gateway's own, and those of everything
    else. ``words``: a file with one word a line; ``people``: senders ``u1`` … are verified; ``rules``: the policy, and
    ``more_lists`` what else it reads, by name. ``server``: further lines of a gateway's ``[server]``.
    """

    scratch: Path
    cpus: str
    others_cpus: str
    upstream_port: int
    words: Path
    people: int
    workers: int = 1
    rules: tuple[str, ...] = RULES
    more_lists: tuple[tuple[str, Path], ...] = ()
    server: str = ""


class System(Protocol):
    """A gateway under measurement. ``checks``: what it judges; ``folded`` sees through disguises of a word too."""

    name: str
    key: str
    checks: Checks
    port: int

    def start(self, setting: Setting) -> None:
        """Start and wait until it answers."""

    def gateway_pids(self) -> list[int]:
        """The processes whose CPU time is the gateway's."""

    def state_pids(self) -> list[int]:
        """The processes of its state server."""

    def other_pids(self) -> list[int]:
        """Processes that run beside, and that no message passes through."""

    def stop(self) -> None:
        """Stop everything that ``start`` started."""
