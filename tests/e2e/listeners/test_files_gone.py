"""A worker that begins when a file that the configuration names has gone since, or is half written: it begins all the
same, with what the others have (law 9)."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from tests.certificates import make
from tests.e2e.lab import lab
from tests.e2e.listeners.test_workers_anew import anew
from tests.e2e.node import kill

MORE = """
[upstreams.secure]
servers = ["https://localhost:{port}"]
tls = {{ ca = "authority.pem", certificate = "own.pem", key = "own.key" }}
[[routes]]
name = "likes"
match = "GET /likes/{{id}}"
upstream = "secure"
"""
KNOWN = 'unmatched_upstream = "platform"\n'


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfive")
    except (asyncio.IncompleteReadError, OSError):
        writer.close()


@pytest.mark.parametrize("content", [None, b"-----BEGIN CERTIFICATE-----\nhalf"])
async def test_files_of_an_upstream(tmp_path: Path, content: bytes | None) -> None:
    server, own = make(tmp_path, "localhost", stem="authority"), make(tmp_path, stem="own")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.certificate, server.key)
    context.load_verify_locations(own.certificate)
    context.verify_mode = ssl.CERT_OPTIONAL
    listening = await asyncio.start_server(_answer, "127.0.0.1", 0, ssl=context)
    port = listening.sockets[0].getsockname()[1]
    async with listening, lab(tmp_path, server=KNOWN, more=MORE.format(port=port)) as made:
        assert (await made.node.ask("GET", "/likes/1")).body == b"five"
        held = {path: path.read_bytes() for path in (server.certificate, own.certificate, own.key)}
        for path in held:
            path.unlink()
            if content is not None:
                path.write_bytes(content)
        await anew(made)
        assert (await made.node.say("alice", "hello")).status == 201
        assert (await made.node.ask("GET", "/likes/1")).body == b"five", "with the copy of what it trusts"
        told = made.node.told(everything=True)
        assert "generation.copy_read" in told
        assert "upstream.without_certificate" in told, "of a key there is no copy"
        # A reload is as strict as ever.
        answer = await made.node.manage("POST", "/v1/reload", {"reason": "test"})
        assert answer.json()["result"]["ok"] is False
        for path, was in held.items():
            path.write_bytes(was)
        answer = await made.node.manage("POST", "/v1/reload", {"reason": "test"})
        assert answer.json()["result"]["ok"] is True
        assert (await made.node.ask("GET", "/likes/1")).body == b"five"
        assert not [path for path in (tmp_path / "data").rglob("*") if path.is_file() and own_key(path, held[own.key])]


def own_key(path: Path, key: bytes) -> bool:
    """Whether a file holds the private key."""
    return key in path.read_bytes()


async def test_what_is_compiled_is_not_needed_again(tmp_path: Path) -> None:
    """A list that is gone, and the file with what the state server is trusted for."""
    trusted = make(tmp_path, stem="trusted")
    state = 'deadline = "5s"\ntls = { ca = "trusted.pem" }'
    async with lab(tmp_path, state=state) as made:
        (tmp_path / "spam.txt").unlink()
        trusted.certificate.unlink()
        await anew(made)
        assert (await made.node.say("alice", "hello")).status == 201
        before = (await made.node.pids("control"))["control"]
        kill(before)
        async with asyncio.timeout(60):
            while (await made.node.pids("control")).get("control", before) == before:
                await asyncio.sleep(0.05)
            while True:
                try:
                    if (await made.node.manage("GET", "/readyz")).status == 200:
                        break
                except OSError:
                    pass
                await asyncio.sleep(0.05)
