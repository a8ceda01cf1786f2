"""The state server as `deploy/valkey` sets it up: its user may do what the gate does, and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from redis.exceptions import RedisError
from typer.testing import CliRunner

from gateway.commands.cli import build
from gateway.state.cold.embedded import binary
from rig.ports import free_port
from tests.deploy.front import ROOT
from tests.e2e.lab import RULES, Lab, lab
from tests.e2e.node import request
from tests.e2e.upstream import Received
from tests.e2e.wire import once

pytestmark = pytest.mark.asyncio(loop_scope="module")

VALKEY = ROOT / "deploy" / "valkey"
SERVERS = {"the packaged Valkey": binary, "Debian's server": lambda: shutil.which("redis-server")}
KINDS = [pytest.param(name, marks=[pytest.mark.whole] * (name[0] == "D")) for name in SERVERS]  # make deploy-check
PASSWORD = "CHANGE-ME"  # as it stands in the file
ADMIN = "watcher"
PEOPLE = """
  { check = "room",    action = "reject", on_error = "pass", ground = "agreement 6.4" },
  { check = "credit",  action = "label",  on_error = "pass", ground = "agreement 5.1", below = 40, label = "low" },
  { check = "repeats", action = "reject", on_error = "pass", ground = "agreement 4.3", limit = "3/1m" },
  { check = "repeats", action = "reject", on_error = "pass", ground = "agreement 4.3", limit = "20/20m", scope = "room", min_length = 12, senders = 2 },
  { check = "limit",   action = "reject", on_error = "pass", ground = "agreement 4.2", limits = ["sender 6/1h"] },
"""  # noqa: E501
LOG_OUTS = """
[[routes]]
name = "members"
match = "POST /api/members/{room}"
surface = "comment"
upstream = "platform"
policy = "comment"
sender = "whoami:"
text = "json:/content"
[routes.whoami]
ask = "GET /me"
credentials = "cookie:session"
id = "json:/id"
on_error = "reject"
logout = "POST /logout"
"""
ELSEWHERE = {"select"}  # where the address names another database


class Server(NamedTuple):
    """``port``: where it listens; ``unknown``: commands of the file that it does not have."""

    port: int
    unknown: tuple[str, ...]

    async def ask(self, *command: str) -> Any:
        """As somebody who may do everything, and is not counted."""
        async with Redis(port=self.port, username=ADMIN, password=ADMIN, decode_responses=True) as client:
            return await client.execute_command(*command)


def lacking(program: str) -> tuple[str, ...]:
    """What a server of this version does not know, as the page says."""
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"(Valkey|Redis) server v=(\d+)\.(\d+)", told)
    assert version is not None, told
    number = (int(version[2]), int(version[3]))
    newer = number >= ((9, 1) if version[1] == "Valkey" else (8, 4))
    return (*(() if newer else ("msetex",)), *(() if number >= (7, 2) else ("client|setinfo",)))


def written(folder: Path, port: int, unknown: tuple[str, ...]) -> Path:
    """The two files as they are shipped, for this folder and port, and one more user for the test."""
    acl = (VALKEY / "users.acl").read_text(encoding="utf-8")
    for command in unknown:
        acl = acl.replace(f" +{command}", "")
    (folder / "users.acl").write_text(f"{acl}user {ADMIN} on >{ADMIN} ~* &* +@all\n", encoding="utf-8")
    text = (VALKEY / "valkey.conf").read_text(encoding="utf-8")
    for old, new in (
        ("/etc/valkey", str(folder)), ("/var/lib/valkey", str(folder)), ("port 6379", f"port {port}"), (" -::1", ""),
    ):  # fmt: skip
        assert old in text
        text = text.replace(old, new)
    path = folder / "valkey.conf"
    path.write_text(text, encoding="utf-8")
    return path


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=KINDS)
async def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    program = SERVERS[request.param]()
    assert program is not None
    made = Server(free_port(), lacking(program))
    path = written(tmp_path_factory.mktemp("valkey"), made.port, made.unknown)
    process = await asyncio.create_subprocess_exec(program, str(path), stdout=asyncio.subprocess.DEVNULL)
    try:
        async with asyncio.timeout(30):
            while True:
                assert process.returncode is None
                with contextlib.suppress(RedisError, OSError):
                    await made.ask("PING")
                    break
                await asyncio.sleep(0.05)
        yield made
    finally:
        process.terminate()
        await process.wait()


def allowed(acl: str) -> set[str]:
    """What the rules of a user allow, command by command."""
    return {rule[1:] for rule in acl.split() if rule.startswith("+")}


async def test_a_gate_runs_whole_and_needs_all_of_it(server: Server, tmp_path: Path) -> None:
    url = f"redis://tidegate:{PASSWORD}@127.0.0.1:{server.port}"
    await server.ask("CONFIG", "RESETSTAT")
    async with lab(tmp_path, rules=RULES + PEOPLE, state=f'url = "{url}"\ndeadline = "5s"', more=LOG_OUTS) as made:
        await everything(made, server)
        node = made.node
        for command in (("state", "status"), ("state", "rebuild", "--reason", "test")):
            given = [*command, "--data-dir", str(node.folders.root)]
            result = await asyncio.to_thread(CliRunner().invoke, build([command[0]]), given)
            assert result.exit_code == 0, result.output
        assert (await node.say("alice", "after the rebuild")).status == 201
        # Connections that break are made anew, and what the server says then is believed.
        await server.ask("CLIENT", "KILL", "USER", "tidegate")
        async with asyncio.timeout(30):
            while (await node.say("alice", "and again, in other words")).status != 201:
                await asyncio.sleep(0.1)
        assert (await node.manage("GET", "/readyz")).json()["ready"] is True
        await made.sound()
    assert await server.ask("ACL", "LOG") == []
    stats = await server.ask("INFO", "commandstats")
    used = {name.removeprefix("cmdstat_") for name in stats}
    granted = allowed((VALKEY / "users.acl").read_text(encoding="utf-8")) - set(server.unknown)
    assert granted - used == ELSEWHERE


async def everything(made: Lab, server: Server) -> None:
    """What asks state for each of its commands."""
    node = made.node
    assert (await once(node, request("POST", "/logout", b"", {"Cookie": "session=x"}))).status == 201
    async with asyncio.timeout(30):
        while not await node.metric("tidegate_log_outs_total", how="heard"):
            await asyncio.sleep(0.05)
    await made.introduce("carol", "dave")
    for sender in ("alice", "bob", "carol", "dave"):
        assert (await node.say(sender, f"a text of some length by {sender}")).status == 201
        await node.say(sender, "one text that several people write alike")
    assert (await node.say("nobody", "hello")).json()["reason"] == "identity.unknown"
    for number in range(8):  # beyond its limit a text is looked for and not counted
        last = await node.say("dave", f"number {number} of many texts of some length")
    assert (last.status, last.json()["reason"]) == (429, "limit.sender")
    await server.ask("SCRIPT", "FLUSH")
    assert (await node.say("carol", "scripts that are gone are sent again")).status == 201
    blocked = await node.manage(
        "POST", "/v1/blocks", {"scope": "sender", "value": "bob", "ground": "agreement 6.1", "reason": "spam"}
    )
    assert blocked.status == 200, blocked
    await refused(made, "bob", "block.sender")
    lifted = await node.manage("DELETE", f"/v1/blocks/{blocked.json()['result']['id']}?reason=over")
    assert lifted.status == 200, lifted
    slow = await node.manage("PUT", "/v1/rooms/9", {"status": "muted", "reason": "order"})
    assert slow.status == 200, slow

    async def away(request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")  # a limit is given back
        await writer.drain()

    before, made.upstream.behave = made.upstream.behave, away
    try:
        assert (await node.say("carol", "refused by the platform itself")).status == 403
    finally:
        made.upstream.behave = before


async def refused(made: Lab, sender: str, reason: str) -> None:
    async with asyncio.timeout(30):
        while (answer := await made.node.say(sender, f"words {sender}")).status != 403:
            await asyncio.sleep(0.05)
    assert answer.json()["reason"] == reason


FORBIDDEN = ["FLUSHALL", "KEYS *", "CONFIG GET *", "ACL LIST", "SHUTDOWN", "GET other:key", "MONITOR"]


async def test_its_user_may_do_nothing_else(server: Server) -> None:
    async with Redis(port=server.port, username="tidegate", password=PASSWORD) as client:
        for command in FORBIDDEN:
            with pytest.raises(RedisError, match=r"(?i)no permissions|can't|not permitted"):
                await client.execute_command(*command.split())
        with pytest.raises(RedisError, match=r"(?i)permission|acl|access"):
            await client.eval("return redis.call('GET', 'other:key')", 0)
    async with Redis(port=server.port) as nobody:
        with pytest.raises(RedisError):
            await nobody.ping()
    await server.ask("ACL", "LOG", "RESET")
