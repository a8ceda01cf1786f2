"""A node that changes beneath clients which never stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import websockets

from gateway.common import channel
from rig.ports import free_port
from rig.witnesses import Gate, Seen, chatting, commenting
from tests.certificates import make, trusting
from tests.e2e.lab import Lab, lab

MORE = """
[[routes]]
name = "chat"
match = "GET /chat/{{room}}"
transport = "websocket"
surface = "group"
upstream = "echo"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
[upstreams.echo]
servers = ["http://127.0.0.1:{echo}"]
"""
LISTEN = """
listen = ["127.0.0.1:{{port}}", "127.0.0.1:{named}"]
tls = {{{{ listen = "127.0.0.1:{secure}", certificates = [{{{{ certificate = "server.pem", key = "server.key" }}}}] }}}}
proxy_protocol = {{{{ "127.0.0.1:{named}" = ["127.0.0.0/8"] }}}}
"""
SERVER = 'unmatched_upstream = "platform"\ndrain = "{drain}"\nmax_connections_per_address = 2000\n'
PEOPLE = [f"u{number}" for number in range(12)]
HEADER = b"PROXY TCP4 127.0.0.9 127.0.0.1 4000 80\r\n"


class Standing:
    """A node with a plain address, one where a PROXY header begins, and one with TLS."""

    def __init__(self, made: Lab, gates: dict[str, Gate]) -> None:
        self.lab = made
        self.gates = gates

    async def status(self) -> dict[str, Any]:
        """What the supervisor says, once it answers."""
        async with asyncio.timeout(60):
            while True:
                with contextlib.suppress(OSError, channel.ChannelError):
                    return await self.lab.node.status()
                await asyncio.sleep(0.05)

    async def workers(self) -> dict[str, str]:
        """Their states by name."""
        children = (await self.status())["children"]
        return {name: child["state"] for name, child in children.items() if name.startswith("worker-")}

    async def reload(self) -> dict[str, Any]:
        return await channel.call(self.lab.node.folders.supervisor_socket, {"command": "reload"}, timeout=120)

    async def upgrade(self, program: Path | str = "") -> dict[str, Any]:
        """Ask for it, and wait for what becomes of it."""
        path = self.lab.node.folders.supervisor_socket
        answer = await channel.call(path, {"command": "upgrade", "program": str(program)}, timeout=120)
        if not answer.get("ok"):
            return answer
        return await self.upgraded()

    async def upgraded(self) -> dict[str, Any]:
        """What the supervisor says of the last upgrade, once that is over."""
        async with asyncio.timeout(120):
            while True:
                told: dict[str, Any] = (await self.status())["upgrade"]
                if told["state"] not in ("trial", "renewing", "returning"):
                    return told
                await asyncio.sleep(0.05)

    def configure(self, old: str, new: str) -> None:
        """Change the configuration's text."""
        text = self.lab.config.read_text(encoding="utf-8")
        assert old in text
        self.lab.config.write_text(text.replace(old, new), encoding="utf-8")

    @contextlib.asynccontextmanager
    async def under_load(self, *, clients: int = 2, sockets: int = 2, pause: float = 0.005) -> AsyncIterator[Seen]:
        """Clients on each address; all of them have ended behind the block."""
        seen, stop = Seen(), asyncio.Event()
        people = iter(PEOPLE * 10)
        tasks = [
            asyncio.create_task(commenting(gate, seen, stop, next(people), pause=pause))
            for gate in self.gates.values()
            for _ in range(clients)
        ]
        tasks += [
            asyncio.create_task(chatting(self.gates[name], f"/chat/{name}", seen, stop, next(people)))
            for name in ("plain", "secure")
            for _ in range(sockets)
        ]
        try:
            async with asyncio.timeout(30):
                while not seen.answered[201] or not seen.echoed:
                    await asyncio.sleep(0.02)
            yield seen
        finally:
            stop.set()
            await asyncio.gather(*tasks)


async def _echo(connection: Any) -> None:
    async for message in connection:
        await connection.send(message)


@contextlib.asynccontextmanager
async def standing(folder: Path, *, workers: int = 2, drain: str = "60s", **more: object) -> AsyncIterator[Standing]:
    """A node of its own."""
    files = make(folder, "localhost")
    named, secure = free_port(), free_port()
    async with websockets.serve(_echo, "127.0.0.1", 0) as platform:
        echo = platform.sockets[0].getsockname()[1]
        settings: dict[str, Any] = {
            "listen": LISTEN.format(named=named, secure=secure),
            "server": SERVER.format(drain=drain),
            "more": MORE.format(echo=echo),
            "workers": workers,
            **more,
        }
        async with lab(folder, **settings) as made:
            await made.introduce(*PEOPLE)
            tls = trusting(files)
            yield Standing(
                made,
                {
                    "plain": Gate(made.node.port),
                    "named": Gate(named, announced=HEADER),
                    "secure": Gate(secure, tls),
                },
            )
