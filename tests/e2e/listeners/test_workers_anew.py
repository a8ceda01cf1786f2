"""A worker that dies when the certificates on disk, or the configuration, are no longer what its node began with."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

from gateway.common import channel
from rig.ports import free_port
from tests.certificates import make, trusting
from tests.e2e.lab import Lab, lab
from tests.e2e.listeners.test_tls import comment, told
from tests.e2e.node import kill

TLS = 'tls = {{ listen = "127.0.0.1:%d", certificates = [{{ certificate = "server.pem", key = "server.key" }}] }}'


async def until(asked: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(OSError, ssl.SSLError, asyncio.IncompleteReadError):
                if await asked():
                    return
            await asyncio.sleep(0.1)


async def anew(made: Lab) -> None:
    """Kill the worker, and wait for the next one."""
    (before,) = (await made.node.pids("worker-")).values()
    kill(before)

    async def answers() -> bool:
        return (await made.node.say("alice", "hello")).status == 201

    await until(answers)
    assert (await made.node.pids("worker-"))["worker-0"] != before


async def test_it_serves_what_it_can(tmp_path: Path) -> None:
    files = make(tmp_path, "localhost")
    tls, port = trusting(files), free_port()

    async def secure() -> bool:
        return (await told(port, comment("hello"), tls=tls)).status == 201

    listen = f'listen = "127.0.0.1:{{port}}"\n{TLS % port}'
    async with lab(tmp_path, listen=listen) as made:
        assert await secure()
        # The key is gone: the plain address is served all the same, and TLS once the key is there again.
        kept = files.key.read_bytes()
        files.key.unlink()
        await anew(made)
        with contextlib.suppress(OSError, ssl.SSLError, asyncio.IncompleteReadError):
            assert not await secure()
        assert "tls.kept" in made.node.told(everything=True)
        files.key.write_bytes(kept)
        await until(secure)
        # No TLS in the generation in force: its address stays, with the certificates that it had.
        made.config.write_text(made.config.read_text().replace(TLS.replace("{{", "{").replace("}}", "}") % port, ""))
        answer = await channel.call(made.node.folders.supervisor_socket, {"command": "reload"}, timeout=60)
        assert answer["warnings"] == ["server.tls.listen changed: it takes effect at the next start"]
        assert await secure()
        await anew(made)
        assert await secure()
        await made.sound("alice", restarted=["worker-0"])
