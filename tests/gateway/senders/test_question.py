"""Which answer of a platform means what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.senders.question import IdReader, SenderQuestion

ID = b'{"user":{"id":"alice"}}'


class Call:
    aborted = False

    def abort(self) -> None:
        self.aborted = True


class Upstream:
    def __init__(self) -> None:
        self.call = Call()

    def start(self, head: bytes, body: bytes, sink: Any, *, idempotent: bool) -> Call:
        return self.call


@pytest.mark.parametrize(
    ("status", "body", "lines", "told"),
    [
        (200, ID, b"", ("alice", "")),
        (204, b"", b"", ("", "garbage")),
        (200, b'{"user":{"id":17}}', b"", ("17", "")),
        (200, b'{"user":{"id":0}}', b"", ("0", "")),
        (200, b'{"user":null}', b"", ("", "")),
        (200, b'{"user":{"id":""}}', b"", ("", "")),
        (200, b'{"user":{"id":false}}', b"", ("", "")),
        (200, b"{}", b"", ("", "")),
        (200, b'{"user":{"ID":"alice"}}', b"", ("", "garbage")),
        (200, b'{"user":{"id":true}}', b"", ("", "garbage")),
        (200, b'{"user":{"id":1.0}}', b"", ("", "garbage")),
        (200, b'{"user":{"id":["a"]}}', b"", ("", "garbage")),
        (200, b'{"user":{"id":"a\\u0000"}}', b"", ("", "garbage")),
        (200, b'{"user":{"id":"' + b"a" * 257 + b'"}}', b"", ("", "garbage")),
        (200, b"<html>", b"", ("", "garbage")),
        (200, ID, b"Content-Encoding: gzip\r\n", ("", "garbage")),
        (401, ID, b"", ("", "")),
        (302, ID, b"", ("", "")),
        (404, b"", b"", ("", "")),
        (429, ID, b"", ("", "status")),
        (500, ID, b"", ("", "status")),
    ],
)
def test_answers(status: int, body: bytes, lines: bytes, told: Any, make_head: Callable[..., Any]) -> None:
    for whole in (True, False):
        heard: list[Any] = []
        question = SenderQuestion(IdReader("json:/user/id"), 4096, lambda *one, to=heard: to.append(one))
        question.ask(Upstream(), b"")  # type: ignore[arg-type]
        head = make_head(status, len(body), lines)
        if whole:
            question.on_whole(head, body)
        else:
            question.on_head(head, bool(body))
            for at in range(len(body)):
                question.on_data(body[at : at + 1])
            question.on_end()
        assert heard == [told]


def test_a_header_names_them(make_head: Callable[..., Any]) -> None:
    for lines, told in (
        (b"X-User: alice\r\n", ("alice", "")),
        (b"", ("", "")),
        (b"X-User: a\r\nX-User: b\r\n", ("", "garbage")),
    ):
        heard: list[Any] = []
        question = SenderQuestion(IdReader("header:X-User"), 4096, lambda *one, to=heard: to.append(one))
        question.on_head(make_head(200, 5, lines), True)
        assert heard == [told], "the body is not waited for"


def test_a_body_beyond_the_bound(make_head: Callable[..., Any]) -> None:
    heard: list[Any] = []
    upstream = Upstream()
    question = SenderQuestion(IdReader("json:/user/id"), 100, lambda *one: heard.append(one))
    question.ask(upstream, b"")  # type: ignore[arg-type]
    question.on_head(make_head(200, 101), True)
    question.on_data(b" " * 101)
    assert heard == [("", "garbage")]
    assert upstream.call.aborted


def test_given_up(make_head: Callable[..., Any]) -> None:
    heard: list[Any] = []
    question = SenderQuestion(IdReader("json:/user/id"), 100, lambda *one: heard.append(one))
    question.give_up()
    question.on_whole(make_head(200, len(ID)), ID)
    assert heard == []
