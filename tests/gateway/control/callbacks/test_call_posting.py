"""One call over a real socket, to receivers of every kind."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gateway.control.callbacks.call_posting import MOST, CallPoster, refused
from gateway.control.callbacks.receivers import CallTarget
from rig.ports import free_port
from tests import certificates

Answers = Callable[[web.Request], Awaitable[web.StreamResponse]]
NOW_S = 1_800_000_000.0


def target(port: int, path: str = "/hook?a=%2F", **changed: Any) -> CallTarget:
    made = {"scheme": "http", "ca": None, "timeout": 5.0, "answers_json": False} | changed
    url = f"{made.pop('scheme')}://localhost:{port}{path}"
    return CallTarget("platform", url, ("s",), made["ca"], made["timeout"], 60.0, 100, made["answers_json"])


@asynccontextmanager
async def receiver(answers: Answers, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answers)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "localhost", 0, ssl_context=tls).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@pytest.fixture
async def poster() -> AsyncIterator[CallPoster]:
    made = CallPoster()
    yield made
    await made.close()


def answering(status: int, **more: Any) -> Answers:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, **more)

    return answer


async def test_what_arrives_is_what_was_signed(poster: CallPoster) -> None:
    got: list[tuple[str, str, bytes, str]] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        got.append((request.method, request.raw_path, await request.read(), request.headers["Tidegate-Event"]))
        return web.Response(status=204)

    async with receiver(answer) as port:
        posted = await poster.post(target(port), '{"房":1}'.encode(), {"Tidegate-Event": "x"}, NOW_S)
    assert (posted.status, posted.problem) == (204, "")
    assert got == [("POST", "/hook?a=%2F", '{"房":1}'.encode(), "x")]


@pytest.mark.parametrize(
    ("status", "problem", "of_receiver"),
    [(200, "", False), (299, "", False), (302, "callback.redirect", False), (400, "callback.status", False),
     (410, "callback.status", False), (429, "callback.status", True), (500, "callback.status", True)],
)  # fmt: skip
async def test_statuses(poster: CallPoster, status: int, problem: str, of_receiver: bool) -> None:
    async with receiver(answering(status, headers={"Retry-After": "7", "Location": "/elsewhere"})) as port:
        posted = await poster.post(target(port), b"{}", {}, NOW_S)
    assert (posted.status, posted.problem, posted.of_receiver) == (status, problem, of_receiver)
    assert posted.asked == (7.0 if problem else 0.0)


async def test_no_redirect_is_followed(poster: CallPoster) -> None:
    paths: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        paths.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with receiver(answer) as port:
        await poster.post(target(port), b"{}", {}, NOW_S)
    assert paths == ["/hook"]


async def test_no_proxy_of_the_environment_is_asked(poster: CallPoster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with receiver(answering(200)) as port:
        assert (await poster.post(target(port), b"{}", {}, NOW_S)).status == 200


async def test_nobody_there(poster: CallPoster) -> None:
    posted = await poster.post(target(free_port()), b"{}", {}, NOW_S)
    assert (posted.status, posted.problem, posted.of_receiver) == (None, "callback.unreached", True)


async def test_one_that_says_nothing(poster: CallPoster) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    async with receiver(answer) as port:
        posted = await poster.post(target(port, timeout=0.1), b"{}", {}, NOW_S)
    assert posted.problem == "callback.timeout"


async def test_one_that_never_ends_is_cut_off_and_was_heard(poster: CallPoster) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * MOST)
            await asyncio.sleep(0)

    async with receiver(answer) as port:
        posted = await poster.post(target(port), b"{}", {}, NOW_S)
    assert (posted.status, posted.problem) == (200, "")


@pytest.mark.parametrize("answer", [b"nonsense\r\n\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"])
async def test_what_is_no_http(poster: CallPoster, answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "localhost", 0)
    async with server:
        posted = await poster.post(target(server.sockets[0].getsockname()[1]), b"{}", {}, NOW_S)
    assert posted.status is None
    assert posted.problem in ("callback.broken", "callback.unreached")


async def test_a_certificate_that_nobody_vouches_for(poster: CallPoster, tmp_path: Path) -> None:
    files = certificates.make(tmp_path, "localhost")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(files.certificate, files.key)
    async with receiver(answering(200), tls) as port:
        assert (await poster.post(target(port, scheme="https"), b"{}", {}, NOW_S)).problem == "callback.tls"
        trusted = target(port, scheme="https", ca=files.certificate)
        assert (await poster.post(trusted, b"{}", {}, NOW_S)).status == 200


async def test_a_robot_that_takes_nothing_says_so_in_a_200(poster: CallPoster) -> None:
    async with receiver(answering(200, body=b'{"errcode":310000,"errmsg":"keywords not in content"}')) as port:
        robot = await poster.post(target(port, answers_json=True), b"{}", {}, NOW_S)
        assert robot.problem == "callback.refused"
        assert (await poster.post(target(port), b"{}", {}, NOW_S)).problem == ""


def test_how_robots_say_it() -> None:
    taken = (b'{"errcode":0,"errmsg":"ok"}', b'{"code":0}', b'{"ok":true}', b"", b"ok", b"[]", b'{"code":null}')
    assert not any(refused(one) for one in taken)
    assert refused(b'{"code":19024,"msg":"Key Words Not Found"}')
