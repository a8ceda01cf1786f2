"""Whatever a request brings is read or refused: a body that is not what it says, one that does not come, fields that
are no text, whichever door of control it comes to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.control.acts.refusal import ControlError
from gateway.control.calls import received


async def said(api: Any, head: str, body: bytes = b"") -> bytes:
    """What is answered to bytes that no client of ours would send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(api.url.rpartition(":")[2]))
    writer.write(head.encode("latin-1") + b"\r\nHost: here\r\nConnection: close\r\n\r\n" + body)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET /console/login HTTP/1.1\r\nAccept-Language: \xff,zh;q=nan", 200),
        ("GET /console/nothing HTTP/1.1\r\nAccept-Language: \xff", 404),
        ("POST /console/login HTTP/1.1\r\nOrigin: http://[::1\r\nContent-Length: 0", 403),
        ("GET /console/own HTTP/1.1\r\nCookie: tidegate-console=\xff\xfe; tidegate-language=\xff", 303),
        ("GET /v1/me HTTP/1.1\r\nAuthorization: Bearer \xff\xfe", 401),
    ],
)
async def test_fields_that_are_no_text(api: Any, head: str, status: int) -> None:
    assert (await said(api, head)).startswith(b"HTTP/1.1 %d " % status)


@pytest.mark.parametrize("path", ["/console/login", "/v1/accounts/alice"])
async def test_a_body_that_is_not_what_it_says(api: Any, path: str) -> None:
    method = "POST" if path.startswith("/console") else "PUT"
    head = (
        f"{method} {path} HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\nAuthorization: Bearer {api.token}"
    )
    answer = await said(api, head, b"abc")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"control.invalid" in answer or b"is not what its header fields say" in answer


async def test_a_body_that_does_not_come() -> None:
    class Slow:
        async def read(self) -> bytes:
            await asyncio.Event().wait()
            return b""

    with pytest.raises(ControlError) as told:
        await received.body(Slow(), within=0.01)  # type: ignore[arg-type]
    assert (told.value.status, told.value.reason) == (408, "control.too_slow")


def test_a_field_as_it_came() -> None:
    class Asked:
        headers = {"Accept": "\udcff,zh"}

    asked: Any = Asked()
    assert (received.field(asked, "Accept"), received.field(asked, "X-None")) == (b"\xff,zh", b"")
