"""The demo's platform by itself: what it does not do is told in the language of whoever asks."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from gateway.demo.platform import serve


@pytest.fixture
async def platform() -> AsyncIterator[aiohttp.ClientSession]:
    async with serve("127.0.0.1", 0) as (_, port), aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield session


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "chinese"),
    [
        ("GET", "/nowhere", None, 404, "该地址没有内容"),
        ("GET", "/live/1", None, 400, "演示平台无法读取该请求"),
        ("DELETE", "/", None, 405, "该地址不支持此请求方法"),
        ("POST", "/api/articles/1/comments", b"[", 400, "演示平台无法读取该请求"),
        ("POST", "/api/articles/1/comments", b"{}", 400, "演示平台无法读取该请求"),
        ("PUT", "/api/articles/1/comments/9", b'{"content": "a"}', 404, "没有这条消息"),
        ("PUT", "/api/articles/1/comments/x", b'{"content": "a"}', 404, "没有这条消息"),
        ("DELETE", "/api/articles/1/comments/9", None, 404, "没有这条消息"),
        ("POST", "/login", b"user=a+b", 400, "名字只能包含字母、数字、“.”、“_”和“-”"),
    ],
)
async def test_what_it_does_not_do_is_told_in_the_readers_language(
    platform: aiohttp.ClientSession, method: str, path: str, body: bytes | None, status: int, chinese: str
) -> None:
    kind = "application/x-www-form-urlencoded" if path == "/login" else "application/json"
    for accept, language, told in (("zh-CN,zh;q=0.9", "zh-CN", chinese), ("fr", "en", None)):
        headers = {"Accept-Language": accept, "Content-Type": kind}
        async with platform.request(method, path, data=body, headers=headers) as answer:
            assert (answer.status, answer.headers["Content-Language"]) == (status, language)
            error = (await answer.json())["error"]
            assert error == told if told is not None else error != chinese
            assert ("Allow" in answer.headers) == (status == 405)
