"""A node of its own in front of a scripted platform: for faults, crashes and odd configurations."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Collection, Iterator
from pathlib import Path
from typing import Any

from rig.ports import free_port
from tests.e2e.node import Node
from tests.e2e.upstream import Upstream, serve

RULES = """
  { check = "identity", action = "reject", on_error = "reject", ground = "agreement 2.1" },
  { check = "block",    action = "reject", on_error = "reject", ground = "agreement 6.1" },
  { check = "limit",    action = "reject", on_error = "pass",   ground = "agreement 4.2", limits = ["sender 1000/1s"] },
  { check = "keywords", action = "reject", on_error = "reject", ground = "agreement 3.1", lists = ["spam"] },
"""

PLAIN = 'listen = "127.0.0.1:{port}"'
SECURE = """
listen = []
tls = {{ listen = "127.0.0.1:{port}", certificates = [{{ certificate = "server.pem", key = "server.key" }}] }}
"""

# A disk that is busy holds state up for longer than its usual 20 ms; tests that are about state say so. In the same way
# the platform, which lives in the test's process, has time: tests that are about a slow one say so.
PATIENT = 'deadline = "5s"'

CONFIG = """
[server]
{listen}
workers = {workers}
{server}
[control]
listen = "127.0.0.1:{control}"
[state]
{state}
[upstreams.platform]
servers = ["http://127.0.0.1:{upstream}"]
connect_timeout = "{connect}"
answer_timeout = "{answer}"
[lists.spam]
path = "spam.txt"
[policies.comment]
appeal = "https://platform.example/appeal?message={{id}}"
rules = [{rules}]
[[routes]]
name = "comments"
match = "POST /api/articles/{{room}}/comments"
surface = "comment"
upstream = "platform"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
{route}
{more}
"""


def write_config(
    folder: Path, node_ports: tuple[int, int], upstream: int, *, workers: int = 1, rules: str = RULES,
    connect: str = "10s", answer: str = "20s", server: str = "", state: str = PATIENT, route: str = "", more: str = "",
    words: str = "代开发票\n", listen: str = PLAIN,
) -> Path:  # fmt: skip
    """Write configuration and list; gives the configuration's path."""
    (folder / "spam.txt").write_text(words, encoding="utf-8")
    text = CONFIG.format(
        listen=listen.format(port=node_ports[0]),
        control=node_ports[1], upstream=upstream, workers=workers, rules=rules, connect=connect,
        answer=answer,
        server=server, state=state, route=route, more=more,
    )  # fmt: skip
    path = folder / "tidegate.toml"
    path.write_text(text, encoding="utf-8")
    return path


class Lab:
    """The node, its platform and its configuration file."""

    def __init__(self, node: Node, upstream: Upstream, config: Path) -> None:
        self.node = node
        self.upstream = upstream
        self.config = config
        self.people: Iterator[str] = iter(())

    async def introduce(self, *senders: str) -> None:
        """Make these people verified. A busy machine may have to be told twice: that changes nothing."""
        lines = "\n".join(json.dumps({"sender": sender, "verified": True}) for sender in senders)
        async with asyncio.timeout(60):
            while True:
                answer = await self.node.manage("POST", "/v1/accounts:import?reason=test", raw=lines.encode())
                assert answer.status == 200, answer
                if json.loads(answer.body.splitlines()[-1])["in_force"]:
                    return

    async def invite(self, number: int) -> None:
        """Make so many people verified, for ``people`` to give out one after the other: limits are per person."""
        names = [f"u{one}" for one in range(number)]
        await self.introduce(*names)
        self.people = iter(names)

    async def outcome(self, message_id: str, within: float = 30.0) -> dict[str, Any]:
        """The record of what became of a message, once it is written."""
        async with asyncio.timeout(within):
            while True:
                for record in self.node.records():
                    if record["kind"] == "outcome" and record["id"] == message_id:
                        return record
                await asyncio.sleep(0.02)

    def judged(self, message_id: str) -> dict[str, Any]:
        """The record of a message's verdict: it is there before any answer."""
        return self.verdicts()[message_id]

    def verdicts(self) -> dict[str, dict[str, Any]]:
        """The records of all verdicts by message id, read once: for tests that ask for many."""
        found: dict[str, dict[str, Any]] = {}
        for record in self.node.records():
            if record["kind"] == "judged":
                assert record["id"] not in found, record
                found[record["id"]] = record
        return found

    async def sound(self, *private: str, restarted: Collection[str] = ()) -> None:
        """Nothing died but what a test killed, nothing failed within, and the log holds none of what is private."""
        children = (await self.node.status())["children"]
        assert {name for name, child in children.items() if child["restarts"]} <= set(restarted), children
        log = self.node.told(everything=True)
        for fault in (
            "request.failed",
            "exception.unhandled",
            "a callback for facts failed",
            "Traceback",
            "never retrieved",
            "handler_failed",
            '"library":"asyncio"',
        ):
            assert fault not in log, [line for line in log.splitlines() if fault in line]
        for word in private:
            assert word not in log, [line for line in log.splitlines() if word in line]


@contextlib.asynccontextmanager
async def lab(
    folder: Path,
    *,
    upstream_port: int = 0,
    known: bool = True,
    cwd: Path | None = None,
    tls: ssl.SSLContext | None = None,
    **settings: object,
) -> AsyncIterator[Lab]:
    """A running lab; ``settings`` are those of ``write_config``. Where somebody is ``known``, alice and bob are.
    ``cwd``: the folder that the node is started in. ``tls``: how its public side is spoken to, if not in clear."""
    ports = free_port(), free_port()
    async with serve(upstream_port) as upstream:
        config = write_config(folder, ports, upstream.port, **settings)  # type: ignore[arg-type]
        node = Node(folder / "data", "run", "--config", str(config), port=ports[0], control_port=ports[1], cwd=cwd)
        node.tls = tls
        await node.start()
        try:
            made = Lab(node, upstream, config)
            if known:
                await made.introduce("alice", "bob")
            yield made
        finally:
            await node.stop()
