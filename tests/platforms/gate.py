"""A node in front of a platform: the configuration of that platform, with this test's ports, lists and rules."""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

from rig.ports import free_ports
from tests.e2e.node import Node

CONFIGURATIONS = Path(__file__).parent / "configurations"
PLATFORM = "127.0.0.1:9000"
"""Where configurations have the platform; the test's own stands in its place."""

FREE = 8
"""Messages that one sender may write in a minute."""

DENIED = ("代开发票", "cheappills")
MASKED = "idiot"

FRAME = """
[server]
listen = "127.0.0.1:{port}"
workers = {workers}
{server}
[control]
listen = "127.0.0.1:{control}"
[state]
deadline = "5s"
[lists.denied]
path = "denied.txt"
[lists.masked]
path = "masked.txt"
"""
POLICY = """
[policies.{name}]
appeal = "https://platform.example/appeal?message={{id}}"
rules = [
  {{ check = "block", action = "reject", on_error = "reject", ground = "agreement 6.1" }},
  {{ check = "limit", action = "reject", on_error = "pass", ground = "agreement 4.2", limits = ["sender {free}/1m"] }},
  {{ check = "keywords", action = "reject", on_error = "reject", ground = "agreement 3.1", lists = ["denied"] }},
  {{ check = "keywords", action = "mask", on_error = "reject", ground = "agreement 3.3", lists = ["masked"] }},
]
"""


def written(name: str, folder: Path, platform: int, *, workers: int = 1, server: str = "") -> tuple[Path, int, int]:
    """The whole configuration of ``name``: its path, the public port, and that of control."""
    routes = (CONFIGURATIONS / f"{name}.toml").read_text(encoding="utf-8")
    policies = {route["policy"] for route in tomllib.loads(routes)["routes"] if "policy" in route}
    policies |= {kind["policy"] for route in tomllib.loads(routes)["routes"] for kind in route.get("messages", ())
                 if "policy" in kind}  # fmt: skip
    assert PLATFORM in routes, "the configuration does not say where its platform is"
    port, control = free_ports(2)
    (folder / "denied.txt").write_text("\n".join(DENIED) + "\n", encoding="utf-8")
    (folder / "masked.txt").write_text(MASKED + "\n", encoding="utf-8")
    text = FRAME.format(port=port, control=control, workers=workers, server=server)
    text += "".join(POLICY.format(name=policy, free=FREE) for policy in sorted(policies))
    path = folder / "tidegate.toml"
    path.write_text(text + routes.replace(PLATFORM, f"127.0.0.1:{platform}"), encoding="utf-8")
    return path, port, control


@contextlib.asynccontextmanager
async def gate(name: str, folder: Path, platform: int, *, workers: int = 1, server: str = "") -> AsyncIterator[Node]:
    """That node, running. ``platform``: its port. ``server``: further lines of ``[server]``."""
    path, port, control = written(name, folder, platform, workers=workers, server=server)
    node = Node(folder / "data", "run", "--config", str(path), port=port, control_port=control)
    await node.start()
    try:
        yield node
        log = node.told(everything=True)
        for fault in ("request.failed", "exception.unhandled", "Traceback", '"library":"asyncio"'):
            assert fault not in log, [line for line in log.splitlines() if fault in line]
    finally:
        await node.stop()
