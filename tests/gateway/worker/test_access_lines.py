"""What the access log tells of a request: its route's name and template, never its path."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from gateway.http.server.router import Router
from gateway.http.wire.head import RequestHead
from gateway.http.wire.path import parse_template
from gateway.worker.access_lines import AccessLines
from tests.gateway.http.wire.test_forwarding import request

TRACE = b"0af7651916cd43dd8448eb211c80319c"
PATHS = {"comments": "/api/articles/{room}/comments", "pages": "/people/{name}"}


class Heard:
    """An access log that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[tuple[Any, ...]] = []
        self.rest: dict[str, Any] = {}

    def add(self, *told: Any, **rest: Any) -> None:
        self.lines.append(told)
        self.rest = rest

    add_socket = add


def lines() -> tuple[AccessLines, Heard]:
    named = SimpleNamespace(name="pages")
    router: Router[Any] = Router([(parse_template("GET /people/{name}"), named)], lambda _: False)
    heard = Heard()
    return AccessLines(heard, router, PATHS), heard  # type: ignore[arg-type]


def exchange(head: RequestHead, route: Any = None, **more: Any) -> Any:
    found = SimpleNamespace(route=route) if route is not None else None
    usual = {"method": head.method, "status": 200, "began": 0.0, "sent": 5, "ids": b"", "message_id": "", "reason": ""}
    return SimpleNamespace(head=head, route=found, **{**usual, **more})


def test_a_judged_request_has_its_route_at_hand() -> None:
    told, heard = lines()
    head = request(b"Content-Length: 31\r\nX-Request-Id: r1\r\ntraceparent: 00-%b-00f067aa0ba902b7-01\r\n" % TRACE)
    judged = exchange(head, SimpleNamespace(name="comments"), message_id="m1", status=403, reason="keyword.match")
    told.answered(judged, "left")
    assert heard.lines == [("POST", "comments", "/api/articles/{room}/comments", 403)]
    assert heard.rest.pop("seconds") > 0
    assert heard.rest == {
        "sizes": (31, 5), "request_id": "r1", "message_id": "m1", "trace_id": TRACE.decode(),
        "reason": "keyword.match", "ended": "left",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("start", "told_as"),
    [
        (b"GET /people/alice HTTP/1.1", ("GET", "pages", "/people/{name}", 200)),
        (b"GET /elsewhere/alice HTTP/1.1", ("GET", "", "", 200)),
        (b"GET /People/alice HTTP/1.1", ("GET", "", "", 200)),  # refused: it only looks like it
    ],
)
def test_any_other_is_found_again_by_its_route(start: bytes, told_as: tuple[Any, ...]) -> None:
    told, heard = lines()
    told.answered(exchange(request(b"", start)), "whole")
    assert heard.lines == [told_as]
    assert "alice" not in str(heard.rest)


def test_a_body_that_does_not_say_how_long_it_is() -> None:
    told, heard = lines()
    told.answered(exchange(request(b"Transfer-Encoding: chunked\r\n"), status=None), "whole")
    assert (heard.lines[0][3], heard.rest["sizes"]) == (0, (None, 5))


def test_a_socket_tells_the_ids_of_its_handshake() -> None:
    told, heard = lines()
    link: Any = SimpleNamespace(
        name="comments", began=0.0, frames_up=3, relay=SimpleNamespace(frames=4), bytes_up=10, bytes_down=20,
        close_code=1001, named=("r1", "t1"),
    )  # fmt: skip
    told.ended(link)
    assert heard.lines == [("comments", "/api/articles/{room}/comments")]
    assert heard.rest.pop("seconds") > 0
    assert heard.rest == {
        "frames": (3, 4), "sizes": (10, 20), "code": 1001, "request_id": "r1", "trace_id": "t1"
    }  # fmt: skip


def test_what_is_no_request_is_told_by_its_answer_alone() -> None:
    told, heard = lines()
    told.refused(431, "head.too_large", 80)
    assert heard.lines == [("", "", "", 431)]
    assert heard.rest == {"seconds": 0.0, "sizes": (None, 80), "reason": "head.too_large"}
