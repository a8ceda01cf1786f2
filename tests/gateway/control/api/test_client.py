"""Calling control: where it is, who calls, and every answer that is none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gateway.config.sections.control import Control
from gateway.control.api import client
from gateway.control.api.client import CallRefused, ControlClient, address_named, address_of, token


@pytest.mark.parametrize(
    ("listen", "base", "socket"),
    [
        ("127.0.0.1:8081", "http://127.0.0.1:8081", ""),
        ("0.0.0.0:81", "http://127.0.0.1:81", ""),
        ("[::]:81", "http://[::1]:81", ""),
        ("[::1]:81", "http://[::1]:81", ""),
        (":81", "http://127.0.0.1:81", ""),
        ("unix:/run/c.sock", "http://localhost", "/run/c.sock"),
    ],
)
def test_the_address_of_a_configuration(listen: str, base: str, socket: str) -> None:
    address = address_of(Control.model_validate({"listen": listen}, context={}))
    assert (address.base, address.socket, address.near) == (base, socket, True)


@pytest.mark.parametrize(
    ("url", "told", "near"),
    [
        ("http://localhost:1", "http://localhost:1", True),
        ("https://ops.example/tidegate/", "https://ops.example/tidegate", False),
        ("http://[::1]:9", "http://[::1]:9", True),
        ("http://10.0.0.7:9", "http://10.0.0.7:9", False),
        ("unix:/run/c.sock", "unix:/run/c.sock", True),
    ],
)
def test_an_address_that_a_person_names(url: str, told: str, near: bool) -> None:
    address = address_named(url)
    assert (str(address), address.near) == (told, near)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "8081",
        "localhost:8081",
        "ftp://x",
        "http://",
        "http://u:p@h",
        "http://h?x=1",
        "http://h:x",
        "http://h:99999",
        "unix:c",
        "http://[",
        "http://h#f",
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError, match="no address of control"):
        address_named(url)


def test_whose_token_goes_first(tmp_path: Path) -> None:
    for name in ("named", "kept", "other"):
        (tmp_path / name).write_text(f"tg_{name}\n")
    kept = tmp_path / "kept"
    both = {client.TOKEN: " tg_own ", client.TOKEN_FILE: str(tmp_path / "other")}
    assert token(tmp_path / "named", kept, both) == "tg_named"
    assert token(None, kept, both) == "tg_own"
    assert token(None, kept, {client.TOKEN_FILE: str(tmp_path / "other")}) == "tg_other"
    assert token(None, kept, {client.TOKEN_FILE: " "}) == "tg_kept"
    for wrong in (None, tmp_path / "nothing", tmp_path):
        with pytest.raises(CallRefused, match="--token-file"):
            token(None, wrong, {})
    for wrong_token in ("a\nb", "a b", "李", "a\x00"):
        with pytest.raises(CallRefused, match=client.TOKEN):
            token(None, kept, {client.TOKEN: wrong_token})
    for content in (b"", b"a b", b"\n", b"\xff\xfe", b"a\nb", b"a\x00"):
        (tmp_path / "bad").write_bytes(content)
        with pytest.raises(CallRefused, match="--token-file"):
            token(None, tmp_path / "bad", {})


Answer = tuple[int, bytes]


@pytest.fixture
async def served() -> AsyncIterator[tuple[str, list[Answer], list[web.Request]]]:
    answers: list[Answer] = []
    asked: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request)
        status, body = answers.pop(0)
        headers = {"Location": "http://127.0.0.1:1/"} if status == 302 else {}
        return web.Response(status=status, body=body, headers=headers)

    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", answers, asked
    await runner.cleanup()


PROBLEM = b'{"type":"about:blank","title":"Bad Request","status":400,"detail":"No.","reason":"control.invalid",'


@pytest.mark.parametrize(
    ("status", "body", "told", "reason"),
    [
        (
            400, PROBLEM + b'"errors":[{"where":"body.x","problem":"is y"}]}',
            "control refused: No: x: is y (control.invalid)", "control.invalid",
        ),
        (400, PROBLEM + b'"errors":"many"}', "control refused: No (control.invalid)", "control.invalid"),
        (400, PROBLEM + b'"errors":[1,{}]}', "control refused: No (control.invalid)", "control.invalid"),
        (
            400, PROBLEM.replace(b"No.", b"Wrong; see errors.")
            + b'"errors":[{"where":"body","problem":"Value error, is y"},{"where":"z","problem":"Input should be a"}]}',
            "control refused: Wrong: is y; z: should be a (control.invalid)", "control.invalid",
        ),
        (500, b'{"title":"a\\nb\\u001b[31m"}', "control refused: a\ufffdb\ufffd[31m", ""),
        (503, b"{}", "control refused: status 503", ""),
        (302, b"{}", "control refused: status 302", ""),
        (502, b"<html>Bad Gateway", "is not control (status 502)", ""),
        (200, b"[1]", "is not control (status 200)", ""),
        (200, b"", "is not control (status 200)", ""),
    ],
)  # fmt: skip
async def test_every_answer_that_is_none_is_one_line(
    served: Any, status: int, body: bytes, told: str, reason: str
) -> None:
    base, answers, asked = served
    answers.append((status, body))
    async with ControlClient(address_named(base), "tg_x") as called:
        with pytest.raises(CallRefused) as refused:
            await called.call("POST", "/v1/x", {"a": 1}, {"b": "&"})
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.reason == reason
    assert len(asked) == 1  # a redirect is not followed: it would carry the token along
    assert (asked[0].headers["Authorization"], asked[0].query["b"]) == ("Bearer tg_x", "&")


async def test_a_stream_is_read_line_by_line(served: Any) -> None:
    base, answers, _ = served
    answers += [(200, b'{"lines":1}\n{"done":true}\n'), (413, PROBLEM + b'"errors":[]}'), (200, b"x\n")]
    async with ControlClient(address_named(base), "") as called:
        assert [one async for one in called.stream("POST", "/i", b"", {})] == [{"lines": 1}, {"done": True}]
        for told in ("control refused: No.", "is not control"):
            with pytest.raises(CallRefused, match=told):
                async for _ in called.stream("POST", "/i", b"", {}):
                    pass


async def test_a_text_is_read_to_its_end(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    base, answers, _ = served
    long = b"# HELP x \xe5\xbc\xb9\n" * 100_000
    answers += [(200, long), (404, PROBLEM + b'"errors":[]}'), (200, b"x" * 1000)]
    async with ControlClient(address_named(base), "") as called:
        assert await called.text("/metrics") == long.decode()
        with pytest.raises(CallRefused, match="control refused: No"):
            await called.text("/metrics")
        monkeypatch.setattr(client, "LARGEST", 1000)
        with pytest.raises(CallRefused, match="more than anybody reads"):
            await called.text("/metrics")


async def test_nobody_answers(tmp_path: Path) -> None:
    async with ControlClient(address_named(f"unix:{tmp_path}/none"), "") as called:
        with pytest.raises(CallRefused, match="does the gateway run"):
            await called.call("GET", "/")
        with pytest.raises(CallRefused, match="does the gateway run"):
            async for _ in called.stream("GET", "/", b"", {}):
                pass
    hung: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: hung.append(writer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with ControlClient(address_named(f"http://127.0.0.1:{port}"), "", within=0.05) as called:
        with pytest.raises(CallRefused, match="does the gateway run"):
            await called.call("GET", "/")
    for writer in hung:
        writer.close()
    server.close()
    await server.wait_closed()
