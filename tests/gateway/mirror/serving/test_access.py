"""A room that needs a login needs it for its mirror too."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.http.upstream.failure import UpstreamError
from gateway.http.wire.path import parse_template
from gateway.mirror.pages.pages import Pages
from gateway.mirror.serving import access as accesses
from gateway.mirror.serving.access import Access, Guard
from gateway.mirror.serving.mirror_files import Answer, MirrorFiles


class Call:
    def __init__(self) -> None:
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


class Platform:
    """Stands for an upstream: keeps what it was asked, answers when told."""

    host = b"platform.internal"

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

    def say(self, status: int, body: bytes = b"") -> None:
        sink = self.sinks.pop(0)
        sink.on_whole(_head(status), body)

    def fail(self) -> None:
        self.sinks.pop(0).on_error(UpstreamError("upstream.timeout", sent=True))


def _head(status: int) -> Any:
    class Head:
        pass

    head = Head()
    head.status = status  # type: ignore[attr-defined]
    return head


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def access(platform: Platform, clock: Clock) -> Access:
    guard = Guard("live", platform, parse_template("GET /api/rooms/{room}/may-watch"), b"video.example")  # type: ignore[arg-type]
    return Access([guard], {"live", "open"}, 30.0, clock)


@pytest.fixture
def files(mirror: Any, node: Any, access: Access) -> MirrorFiles:
    node.bullets(3)
    mirror.turn()
    return MirrorFiles(mirror.root, "/mirror/", Pages("en", "/mirror/"), 60, access)


def ask(files: MirrorFiles, path: str = "/mirror/r1/", **fields: str) -> list[Answer]:
    got: list[Answer] = []
    files.request(b"GET", path.encode(), b"", {k.encode(): v.encode() for k, v in fields.items()}, got.append)
    return got


def test_the_platform_is_asked_with_the_readers_cookies(files: MirrorFiles, platform: Platform) -> None:
    got = ask(files, cookie="user=alice", authorization="Bearer t", host="other.example")
    assert got == []
    assert platform.asked == [
        b"GET /api/rooms/r1/may-watch HTTP/1.1\r\nHost: video.example\r\nAccept: */*\r\n"
        b"Cookie: user=alice\r\nAuthorization: Bearer t\r\n\r\n"
    ]
    platform.say(200)
    (answer,) = got
    assert answer.status == 200
    assert b"private, no-cache" in answer.lines
    assert b"Vary: Accept-Encoding, Cookie, Authorization" in answer.lines


@pytest.mark.parametrize(
    ("status", "answered"), [(204, 200), (302, 403), (401, 403), (403, 403), (404, 403), (500, 503), (429, 503)]
)
def test_what_each_status_means(files: MirrorFiles, platform: Platform, status: int, answered: int) -> None:
    got = ask(files)
    platform.say(status)
    assert [one.status for one in got] == [answered]
    if answered != 200:
        assert b"bullet" not in got[0].body
        assert b"no-store" in got[0].lines


def test_no_answer_shows_nothing_and_is_not_remembered(files: MirrorFiles, platform: Platform) -> None:
    got = ask(files)
    platform.fail()
    assert got[0].status == 503
    got = ask(files)
    platform.say(200)
    assert got[0].status == 200


def test_remembered_for_its_reader_and_its_time(files: MirrorFiles, platform: Platform, clock: Clock) -> None:
    ask(files, cookie="user=alice")
    platform.say(200)
    assert ask(files, "/mirror/r1/fragment", cookie="user=alice")[0].status == 200
    assert len(platform.asked) == 1
    assert ask(files, cookie="user=bob") == []
    platform.say(403)
    assert ask(files, cookie="user=bob")[0].status == 403
    assert ask(files, cookie="user=alice")[0].status == 200
    clock.now += 30
    assert ask(files, cookie="user=alice") == []
    assert len(platform.asked) == 3


def test_many_at_once_ask_once(files: MirrorFiles, platform: Platform) -> None:
    waiting = [ask(files, cookie="a=1") for _ in range(5)]
    assert len(platform.asked) == 1
    platform.say(200, b"x" * 10)
    assert [one[0].status for one in waiting] == [200] * 5


def test_a_long_answer_is_not_waited_for(files: MirrorFiles, platform: Platform) -> None:
    got = ask(files)
    platform.say(200, b"x" * 100_000)
    assert got[0].status == 200
    assert platform.calls[0].aborted


def test_bounded(files: MirrorFiles, platform: Platform, access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accesses, "MAX_WAITING", 2)
    monkeypatch.setattr(accesses, "MAX_REMEMBERED", 3)
    ask(files, cookie="1")
    ask(files, cookie="2")
    assert ask(files, cookie="3")[0].status == 503
    platform.say(200)
    platform.say(200)
    for number in range(10):
        ask(files, cookie=f"c{number}")
        platform.say(200)
    assert len(access._remembered) == 3


def test_public_rooms_ask_nobody(node, mirror, files: MirrorFiles, platform: Platform) -> None:
    from gateway.journal.write import record
    from gateway.mirror.upkeep.importing import bullet_id

    one = bullet_id("public", "1", 10**15)
    node.append(record.imported(one, "public", "t", 10**15, route="open", upstream_id="1"))
    mirror.turn()
    answer = ask(files, "/mirror/public/")[0]
    assert answer.status == 200
    assert b"private" not in answer.lines
    assert ask(files, "/mirror/embed.js")[0].status == 200
    assert platform.asked == []


def test_unknown_rooms_and_routes_ask_every_guard(node, mirror, files: MirrorFiles, platform: Platform) -> None:
    assert ask(files, "/mirror/nobody/") == []
    from gateway.journal.write import record
    from gateway.mirror.upkeep.importing import bullet_id

    one = bullet_id("old", "1", 10**15)
    node.append(record.imported(one, "old", "t", 10**15, route="renamed", upstream_id="1"))
    mirror.turn()
    assert ask(files, "/mirror/old/") == []
    assert len(platform.asked) == 2


def test_each_name_of_a_room_is_guarded(node, mirror, files: MirrorFiles, platform: Platform) -> None:
    node.bullet("hello", "直播")
    mirror.turn()
    for path in (
        "/mirror/%E7%9B%B4%E6%92%AD/",
        "/mirror/=E7=9B=B4=E6=92=AD/1.html",
        "/mirror/=E7=9B=B4=E6=92=AD/1.json",
    ):
        got = ask(files, path)
        assert got == []
        assert platform.asked[-1].startswith(b"GET /api/rooms/%E7%9B%B4%E6%92%AD/may-watch HTTP/1.1\r\n")
        platform.say(403)
        assert got[0].status == 403
        platform.sinks.clear()
        mirror_access = files._access
        assert mirror_access is not None
        mirror_access._remembered.clear()


@pytest.mark.parametrize(
    "host", ["open.example", "video.example", "", "video.example:8080", "VIDEO.example", "127.0.0.1"]
)
def test_the_readers_host_changes_neither_question_nor_answer(
    files: MirrorFiles, platform: Platform, host: str
) -> None:
    """Under another host the platform could speak of another site's room, open to everybody."""
    first = ask(files, cookie="user=bob", host=host)
    assert b"\r\nHost: video.example\r\n" in platform.asked[0]
    platform.say(403)
    assert [one.status for one in first] == [403]
    assert [one.status for one in ask(files, cookie="user=bob", host="open.example")] == [403]
    assert len(platform.asked) == 1


@pytest.mark.parametrize(
    "other", [{"cookie": "user=bob"}, {"authorization": "Bearer u"}, {"cookie": "user=alice; a=1"}, {}]
)
def test_an_answer_to_one_reader_is_none_to_another(
    files: MirrorFiles, platform: Platform, other: dict[str, str]
) -> None:
    ask(files, cookie="user=alice", authorization="Bearer t")
    platform.say(200)
    got = ask(files, **other)
    assert got == []
    assert len(platform.asked) == 2


def test_an_answer_for_one_address_is_none_for_another(platform: Platform, clock: Clock) -> None:
    guards = [
        Guard("live", platform, parse_template(f"GET /api/{place}/{{room}}"), host)  # type: ignore[arg-type]
        for place, host in (("a", b"x.example"), ("b", b"x.example"), ("a", b"y.example"))
    ]
    asked = Access(guards, {"live"}, 30.0, clock)
    told: list[str] = []
    for guard in guards:
        asked.ask_one(guard, "r1", {}, told.append)
        platform.say(200)
    assert (told, len(platform.asked)) == (["allowed"] * 3, 3)
