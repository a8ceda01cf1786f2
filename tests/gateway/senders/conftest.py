"""A platform in the test's hands, and a clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from gateway.common.metrics import SenderCounts
from gateway.http.upstream.failure import UpstreamError
from gateway.http.wire.head import ResponseHead, parse_response
from gateway.senders.settings import WhoamiSettings
from gateway.senders.whoami import Whoami
from gateway.surfaces.input.request import Told


class Call:
    def __init__(self) -> None:
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


class Platform:
    """Stands for an upstream: keeps what it was asked, answers when told."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.sinks: list[Any] = []
        self.calls: list[Call] = []

    def start(self, head: bytes, body: bytes, sink: Any, *, idempotent: bool) -> Call:
        assert (body, idempotent) == (b"", True)
        self.asked.append(head)
        self.sinks.append(sink)
        self.calls.append(Call())
        return self.calls[-1]

    def say(self, document: Any, status: int = 200, lines: bytes = b"") -> None:
        """Answer the oldest question."""
        body = document if isinstance(document, bytes) else orjson.dumps(document)
        self.sinks.pop(0).on_whole(answer_head(status, len(body), lines), body)

    def fail(self) -> None:
        self.sinks.pop(0).on_error(UpstreamError("upstream.closed", sent=True))


def answer_head(status: int, length: int, lines: bytes = b"") -> ResponseHead:
    return parse_response(b"HTTP/1.1 %d OK\r\n%bContent-Length: %d" % (status, lines, length))


class Waiting:
    """Somebody who waits; ``told`` is empty until then."""

    def __init__(self) -> None:
        self.told: list[Told] = []

    def on_told(self, told: Told) -> None:
        self.told.append(told)


class Bench:
    """One platform that is asked by the cookie ``session``."""

    def __init__(self, **changed: Any) -> None:
        self.now = 1000.0
        self.heard = True
        self.platform = Platform()
        self.counts = SenderCounts()
        settings: dict[str, Any] = {
            "ask": "GET /me",
            "credentials": ("cookie:session",),
            "id": "json:/id",
            "on_error": "reject",
        }
        self.whoami = Whoami(
            WhoamiSettings(**(settings | changed)), self.platform, b"p.example", b"salt", self.counts,  # type: ignore[arg-type]
            lambda since: self.heard, lambda: self.now,
        )  # fmt: skip

    def look(self, session: str) -> Told:
        return self.whoami.look(fields(session), frozenset())

    def ask(self, session: str, address: str = "192.0.2.1") -> Waiting:
        waiting = Waiting()
        self.whoami.ask(fields(session), frozenset(), address, waiting)
        return waiting

    def know(self, session: str, sender: Any) -> None:
        """Have it asked and named."""
        waiting = self.ask(session)
        self.platform.say({"id": sender})
        assert waiting.told == [Told(str(sender))]

    def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            self.now += 0.1
            self.whoami.look_after()

    def end(self, session: str) -> list[bytes]:
        return [
            name for digest in self.whoami.digests(fields(session), frozenset()) for name in self.whoami.end(digest)
        ]

    def counted(self, what: str) -> dict[str, int]:
        return {key[0]: number for key, number in getattr(self.counts, what).values.items() if number}


def fields(session: str) -> dict[bytes, bytes]:
    return {b"cookie": b"theme=dark; session=" + session.encode()}


@pytest.fixture
def make_bench() -> Callable[..., Bench]:
    return Bench


@pytest.fixture
def make_waiting() -> Callable[[], Waiting]:
    return Waiting


@pytest.fixture
def make_head() -> Callable[..., ResponseHead]:
    return answer_head
