"""What is loaded: a node of our own with a platform behind it, or one that runs already."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from gateway.common import channel
from loadtest.crowd.people import REPEAT_PERIOD, REPEAT_QUOTA, SENDER_LIMIT
from loadtest.target.admin import Admin
from rig import node, process
from rig.ports import free_port

READY_WITHIN = 60.0  # seconds
LISTS = ("spam.txt", "gambling.txt", "abuse.txt")


class TargetError(Exception):
    """The target cannot be loaded as asked; the message says why, and what to do."""


class Target(NamedTuple):
    """``platform`` is empty where nobody said what stands behind the gateway; ``admin`` None without its address.

    ``node``: the data folder of a node on this machine, None for another one; then no process can be measured.
    ``platform_pid``: 0 where the platform is not ours.
    """

    url: str
    platform: str
    admin: Admin | None
    fresh: bool
    node: Path | None
    platform_pid: int = 0

    def processes(self) -> Mapping[str, list[int]]:
        """Process ids by what they do: gateway (the workers), state, other, platform."""
        groups: dict[str, list[int]] = {"platform": [self.platform_pid]} if self.platform_pid else {}
        if self.node is not None:
            try:
                children = node.children(self.node)
            except channel.ChannelError as error:
                raise TargetError(f"{self.node}: no tidegate runs on this data folder ({error})") from error
            for name, pid in children.items():
                kind = "gateway" if name.startswith("worker-") else "state" if name == "state" else "other"
                groups.setdefault(kind, []).append(pid)
        return groups


class Pins(NamedTuple):
    """Processors, as taskset names them: ``gateway`` for the workers alone, ``others`` for everything else."""

    gateway: str
    others: str

    @classmethod
    def of(cls, workers: int) -> Pins:
        """The first processors for the workers. Raises ``TargetError`` where none would be left."""
        cpus = sorted(os.sched_getaffinity(0))
        if len(cpus) <= workers:
            raise TargetError(f"{workers} workers leave no processor for the load: pin fewer, or do not pin")
        return cls(",".join(map(str, cpus[:workers])), ",".join(map(str, cpus[workers:])))


@contextlib.contextmanager
def of_our_own(senders: int, workers: int, pins: Pins | None) -> Iterator[Target]:
    """A node with the demo's rules and the demo's platform, on free ports, in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="tidegate-loadtest-") as folder, contextlib.ExitStack() as running:
        scratch = Path(folder)
        ports = {name: free_port() for name in ("port", "control", "platform")}
        others = pins.others if pins is not None else None
        platform = _start(
            running, scratch / "platform.log", others,
            "-P", "-m", "gateway.demo.platform", "--port", str(ports["platform"]),
        )  # fmt: skip
        process.wait_for_port(ports["platform"], platform, scratch / "platform.log", READY_WITHIN)
        config = _lay_out(scratch, ports, workers)
        data = scratch / "data"
        started = _start(
            running, scratch / "node.log", others,
            "-P", "-m", "gateway", "run", "--config", str(config), "--data-dir", str(data),
        )  # fmt: skip
        if not node.wait_until_ready(started, READY_WITHIN, data):
            log = (scratch / "node.log").read_text(encoding="utf-8", errors="replace")
            raise TargetError("the node did not start:\n" + log[-2000:])
        token = (data / "control" / "first-token").read_text(encoding="ascii").strip()
        admin = Admin(f"http://127.0.0.1:{ports['control']}", token)
        target = Target(
            f"http://127.0.0.1:{ports['port']}", f"http://127.0.0.1:{ports['platform']}", admin, True, data,
            platform.pid,
        )  # fmt: skip
        if pins is not None:
            for pid in target.processes()["gateway"]:
                process.pin(pid, pins.gateway)
        admin.introduce(senders)
        yield target


def _start(
    running: contextlib.ExitStack, log: Path, cpus: str | None, *arguments: str
) -> subprocess.Popen[bytes]:  # fmt: skip
    output = running.enter_context(log.open("wb"))
    started = process.start([sys.executable, *arguments], cpus, stdout=subprocess.PIPE, stderr=output)
    running.callback(_stop, started)
    return started


def _stop(started: subprocess.Popen[bytes]) -> None:
    if started.poll() is None:
        process.stop(started, within=45)
    if started.stdout is not None:
        started.stdout.close()


def _lay_out(scratch: Path, ports: Mapping[str, int], workers: int) -> Path:
    lists = scratch / "lists"
    lists.mkdir()
    for name in LISTS:
        (lists / name).write_bytes(resources.files("gateway.demo").joinpath("lists", name).read_bytes())
    text = Path(__file__).with_name("node.toml").read_text(encoding="utf-8")
    repeat_limit = f"{REPEAT_QUOTA}/{REPEAT_PERIOD:.0f}s"
    config = scratch / "tidegate.toml"
    config.write_text(
        text.format(**ports, workers=workers, sender_limit=SENDER_LIMIT, repeat_limit=repeat_limit), encoding="utf-8"
    )
    return config
