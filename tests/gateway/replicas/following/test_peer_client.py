"""Asking a peer over real sockets: what it says, what it refuses, and what is no answer at all."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from gateway.journal.write.encoding import MAX_LINE
from gateway.replicas.copying.fetched import MEDIA_TYPE
from gateway.replicas.copying.settings import PeerSettings
from gateway.replicas.following.peer_client import OVERHEAD, PATH, NoAnswer, PeerClient
from rig.ports import free_port

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ASKED: dict[str, Any] = {"node": 1, "folders": {}, "wait": 0.0, "most": 65536}


class Peer:
    """``answer`` is what it does; ``heard`` the authorization of each call."""

    def __init__(self) -> None:
        self.answer: Handler = said(200, b"body")
        self.heard: list[tuple[str, bytes]] = []

    async def open(self) -> None:
        async def handle(request: web.Request) -> web.StreamResponse:
            self.heard.append((request.headers["Authorization"], await request.read()))
            return await self.answer(request)

        app = web.Application()
        app.router.add_post(PATH, handle)
        self.runner = web.AppRunner(app)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self.runner.addresses[0][1]}"


def said(status: int, body: bytes, media: str = MEDIA_TYPE, **fields: str) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers={"Content-Type": media, **fields})

    return answer


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    made = Peer()
    await made.open()
    yield made
    await made.runner.cleanup()


async def cause(url: str, **more: Any) -> str:
    client = PeerClient(PeerSettings("b", 2, url, "tg_secret", **more))
    try:
        with pytest.raises(NoAnswer) as caught:
            await client.fetch(ASKED)
        assert "secret" not in str(caught.value)
        return caught.value.cause
    finally:
        await client.close()


async def test_what_it_says(peer: Peer) -> None:
    client = PeerClient(PeerSettings("b", 2, peer.url + "/", "tg_secret"))
    assert await client.fetch(ASKED) == b"body"
    assert peer.heard == [("Bearer tg_secret", b'{"node":1,"folders":{},"wait":0.0,"most":65536}')]
    await client.close()


async def test_what_it_refuses(peer: Peer) -> None:
    problem = "application/problem+json"
    for status, reason, wanted in (
        (401, "control.token_refused", "refused"), (403, "control.scope_refused", "refused"),
        (409, "control.same_node", "same_node"), (404, "control.unknown_path", "answer"),
        (503, "control.database_unavailable", "away"), (500, "", "away"), (429, "", "away"), (302, "", "answer"),
    ):  # fmt: skip
        peer.answer = said(status, b'{"reason":"%b"}' % reason.encode(), problem, Location="http://127.0.0.1:1/")
        assert await cause(peer.url) == wanted, status
    peer.answer = said(200, b"<html>a front's page</html>", "text/html")
    assert await cause(peer.url) == "answer"
    peer.answer = said(418, b"\xff no json \x00", problem)
    assert await cause(peer.url) == "answer"


async def test_an_answer_without_end_is_given_up(peer: Peer) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": MEDIA_TYPE})
        await response.prepare(request)
        for _ in range((ASKED["most"] + MAX_LINE + OVERHEAD) // 65536 + 2):
            await response.write(b"x" * 65536)
        return response

    peer.answer = endless
    assert await cause(peer.url) == "answer"


async def test_one_that_hangs_up_or_is_not_there(peer: Peer) -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": MEDIA_TYPE, "Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.close()
        return response

    peer.answer = half
    assert await cause(peer.url) == "away"
    assert await cause(f"http://127.0.0.1:{free_port()}") == "away"
    assert await cause(peer.url.replace("http:", "https:")) == "tls"


def test_certificates_that_cannot_be_read_are_told_at_the_start() -> None:
    with pytest.raises((OSError, ssl.SSLError)):
        PeerClient(PeerSettings("b", 2, "https://127.0.0.1:1", "t", ca="/nowhere.pem"))
