"""Platforms over reloads, and log-outs from here and from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from gateway.common.metrics import SenderCounts
from gateway.http.wire.head import parse_request
from gateway.senders.directory import PlatformAsked, SenderDirectory
from gateway.senders.settings import WhoamiSettings
from gateway.surfaces.input.request import Told
from tests.gateway.senders.conftest import Platform, Waiting

COOKIE = {b"cookie": b"session=a"}
NO: frozenset[bytes] = frozenset()


class Feed:
    def __init__(self) -> None:
        self.told: list[bytes] = []

    def tell(self, digests: Iterable[bytes]) -> None:
        self.told += digests

    def heard(self, since: float) -> bool:
        return True


class Exchange:
    def __init__(self, line: bytes, cookie: bytes = b"session=a") -> None:
        self.head = parse_request(line + b" HTTP/1.1\r\nHost: p.example\r\nCookie: " + cookie)
        self.user: Any = None


def asked(upstream: Any, **changed: Any) -> PlatformAsked:
    settings: dict[str, Any] = {
        "ask": "GET /me", "credentials": ("cookie:session",), "id": "json:/id", "on_error": "reject",
        "logout": ("POST /logout",),
    }  # fmt: skip
    return PlatformAsked(WhoamiSettings(**(settings | changed)), upstream, b"p.example")


def directory(*wanted: PlatformAsked) -> SenderDirectory:
    made = SenderDirectory(b"salt", SenderCounts(), lambda: 1000.0)
    made.feed = Feed()
    made.swap(made.build({str(number): one for number, one in enumerate(wanted)}))
    return made


def know(made: SenderDirectory, one: PlatformAsked, name: str = "alice", fields: Any = COOKIE) -> Any:
    whoami = made.build({"r": one})[one]
    whoami.ask(fields, NO, "192.0.2.1", Waiting())
    one.upstream.say({"id": name})  # type: ignore[attr-defined]
    assert whoami.look(fields, NO) == Told(name)
    return whoami


def test_equal_tables_are_one_and_live_on() -> None:
    platform = Platform()
    one, other = asked(platform), asked(platform, cache=5.0)
    made = directory(one, asked(platform))
    whoami = know(made, one)
    made.swap(made.build({"r": asked(platform), "s": other}))
    assert made.build({"r": one})[one] is whoami
    assert made.known() == 1
    made.swap(made.build({"s": other}))
    assert made.known() == 0
    assert whoami.look(COOKIE, NO) == Told("alice"), "for messages under way"


def test_who_waits_for_one_that_is_gone_is_told() -> None:
    platform = Platform()
    one = asked(platform)
    made = directory(one)
    waiting = Waiting()
    made.build({"r": one})[one].ask(COOKIE, NO, "192.0.2.1", waiting)
    made.swap({})
    assert made.asking() == 1
    platform.say({"id": "alice"})
    assert waiting.told == [Told("alice")]
    made.look(0.0)
    assert made.asking() == 0


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        (b"POST /logout", True),
        (b"POST /logout?next=/", True),
        (b"POST //logout", True),  # some platform takes it for one
        (b"POST /Logout", True),
        (b"GET /logout", False),
        (b"POST /login", False),
    ],
)
def test_a_log_out_is_seen_twice(line: bytes, seen: bool) -> None:
    platform = Platform()
    one = asked(platform)
    made = directory(one)
    whoami = know(made, one)
    exchange = Exchange(line)
    assert made.watched(exchange, None) is seen  # type: ignore[arg-type]
    assert whoami.look(COOKIE, NO).pending is seen
    if not seen:
        assert made.feed.told == []  # type: ignore[attr-defined]
        return
    told = made.feed.told  # type: ignore[attr-defined]
    assert told[0] == whoami.key(COOKIE, NO)
    assert len(told) == 2, "and the person's name"
    know(made, one)  # asked before the platform had acted
    exchange.user.on_outcome(200, b"", None)
    assert whoami.look(COOKIE, NO).pending
    assert len(told) == 4


def test_a_log_out_without_credentials_is_none() -> None:
    made = directory(asked(Platform()))
    assert not made.watched(Exchange(b"POST /logout", b"other=1"), None)  # type: ignore[arg-type]


def test_a_log_out_that_names_two_ends_both() -> None:
    platform = Platform()
    one = asked(platform)
    made = directory(one)
    whoami = know(made, one)
    know(made, one, "bob", {b"cookie": b"session=b"})
    assert made.watched(Exchange(b"POST /logout", b"session=a; session=b"), None)  # type: ignore[arg-type]
    assert not whoami.senders.known


def test_what_others_saw() -> None:
    """Their credential is known here: then the person's name goes on to those who know it by another one."""
    platform = Platform()
    one = asked(platform)
    made = directory(one)
    whoami = know(made, one)
    know(made, one, "alice", {b"cookie": b"session=b"})
    made.heard([whoami.key(COOKIE, NO)])
    assert not whoami.senders.known
    (name,) = made.feed.told  # type: ignore[attr-defined]
    made.heard([name])
    assert made.feed.told == [name]  # type: ignore[attr-defined]


def test_what_may_have_been_missed() -> None:
    platform = Platform()
    one = asked(platform)
    made = directory(one)
    whoami = know(made, one)
    made.missed()
    assert whoami.look(COOKIE, NO).pending
