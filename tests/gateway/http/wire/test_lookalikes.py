"""Paths as the most obliging upstream reads them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.wire.lookalikes import bare, readings, segments

JUDGED = [b"api", b"rooms", b"1", b"danmaku"]

ALIKE = [
    b"/api/rooms/1/danmaku.json",
    b"/api/rooms/1/danmaku.xml",
    b"/api/rooms/1/danmaku.7",
    b"/api/rooms/1/danmaku.tar.gz",
    b"/api/rooms/1/danmaku.",
    b"/api/rooms/1/danmaku...",
    b"/api/rooms/1/danmaku%2e",
    b"/api/rooms/1/danmaku%20",
    b"/api/rooms/1/danmaku+",
    b"/api/rooms/1/danmaku%09",
    b"/api/rooms/1/danmaku%0d%0a",
    b"/api/rooms/1/danmaku%C2%A0",
    b"/api/rooms/1/danmaku%E3%80%80",
    b"/api/rooms/1/danmaku%E2%80%8B",
    b"/api/rooms/1/danmaku. .",
    b"/api/rooms/1/%20danmaku",
    b"/api/rooms/1/danmaku%20/",
    b"/api/rooms/1/danmaku/%20",
    b"/api%20/rooms/1/danmaku",
    b"/api./rooms/1/danmaku",
    b"/api/rooms/1/dan%0amaku",
    b"/api/rooms/1/danmaku%3Fa=1",
    b"/api/rooms/1/danmaku%23a",
    b"/api/rooms/1/danmaku::$DATA",
    b"/api/rooms/1/%EF%BD%84anmaku",
    b"/api%EF%BC%8Frooms/1/danmaku",
    b"/API/Rooms/1/Danmaku.JSON",
    b"/api/rooms/1/danma%4Bu",
    b"/api/rooms/1/danma%E2%84%AAu",
    b"/api/rooms/1/danmaku%2520",
    b"/api.json/rooms/1/danmaku.json",
    b"/index.php/api/rooms/1/danmaku",
    b"/index.cgi/api/rooms/1/danmaku",
    b"/app.php/api/rooms/1/danmaku",
    b"/app_dev.php/api/rooms/1/danmaku.json",
    b"/sub/index.php/api/rooms/1/danmaku",
    b"/api/index.php/rooms/1/danmaku",
    b"/x.fcgi/api/rooms/1/danmaku%20",
    b"/a.jsp/b.php/api/rooms/1/danmaku",
    b"/INDEX.PHP/api/rooms/1/danmaku",
    b"/index/api/rooms/1/danmaku",
    b"/(S(lit3py55t21z5v55vlm25s55))/api/rooms/1/danmaku",
    b"/api/(A(x)S(y)F(z))/rooms/1/danmaku.json",
    b"/api%C0%AFrooms/1/danmaku",
    b"/api/rooms/1/danmaku%C0%AE",
    b"/api/rooms/1/danmak%C1%B5",
    b"/api/rooms/1/danmaku%E0%80%AF",
    b"/api/rooms/1/danmaku%FF",
    b"/api/rooms/1/d%C3anmaku",
    b"/api/rooms/1/danmaku:$i30:$INDEX_ALLOCATION",
    b"/api%E2%88%95rooms/1/danmaku",
    b"/ap%C4%B1/rooms/1/danmaku",
    b"//a/api/rooms/1/danmaku",
    b"//a.example,/api/rooms/1/danmaku",
    b"//user:word@a:80/api/rooms/1/danmaku.json",
    b"/%2Fa/api/rooms/1/danmaku",
    b"/\\a/api/rooms/1/danmaku",
    b"/%5Ca/api/rooms/1/danmaku",
]


@pytest.mark.parametrize("path", ALIKE)
def test_spellings_of_one_address(path: bytes) -> None:
    assert JUDGED in readings(path, b"")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (b"/index.php", b"/api/rooms/1/danmaku"),
        (b"/index.php", b"s=/api/rooms/1/danmaku"),
        (b"/index.php", b"a=1&r=api/rooms/1/danmaku"),
        (b"/", b"q=%2Fapi%2Frooms%2F1%2Fdanmaku"),
        (b"/app.cgi", b"_url=/api/rooms/1/danmaku.json&a=1"),
        (b"/", b"/api/rooms/1/danmaku&a=1"),
        (b"/index.php", b"s=/api/rooms/1/danmaku?x=1"),
    ],
)
def test_front_controllers_that_read_the_query(path: bytes, query: bytes) -> None:
    assert JUDGED in readings(path, query)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (b"/api/rooms/1/danmaku-list", b""),
        (b"/api/rooms/1/like", b""),
        (b"/api/rooms/1", b""),
        (b"/api/rooms", b""),
        (b"/v1.2/api/rooms/1/danmaku", b""),
        (b"/log", b"url=/api/rooms/1/danmaku"),
        (b"/", b""),
        (b"/api/rooms/1/.danmaku", b""),
    ],
)
def test_what_nobody_takes_for_it(path: bytes, query: bytes) -> None:
    assert JUDGED not in readings(path, query)


def test_suffixes() -> None:
    assert bare([b"api.v1", b"v1.2", b"a.1"]) == [b"api", b"v1.2", b"a"]
    assert bare([b".well-known"]) == [b".well-known"]
    assert bare([]) == []


@given(st.binary(max_size=60), st.binary(max_size=30))
def test_any_bytes_have_readings(path: bytes, query: bytes) -> None:
    found = readings(b"/" + path, query)
    assert found[0] == segments(b"/" + path)
    assert all(segment for reading in found for segment in reading)


@given(st.lists(st.sampled_from(["%20", "%09", ".", "+", "%E3%80%80", "%0A"]), max_size=6), st.sampled_from(["", "/"]))
def test_no_tail_of_blanks_hides_a_name(tail: list[str], slash: str) -> None:
    assert readings(b"/api/rooms/1/danmaku" + "".join(tail).encode() + slash.encode(), b"")[0] == JUDGED


def test_a_path_of_many_scripts_is_bounded() -> None:
    assert len(readings(b"/a.php" * 4000, b"&".join([b"a=/b"] * 4000))) < 100


@given(st.text(alphabet="ab1.-_!", max_size=12))
def test_suffixes_are_those_of_the_expression(segment: str) -> None:
    """Which is the plain way to say it, and takes the square of a segment's length."""
    plain = re.sub(rb"(?<=.)(?:\.[a-z][a-z0-9_\-]*)+\Z", b"", segment.encode(), flags=re.DOTALL)
    assert bare([segment.encode(), b"x"]) == [plain, b"x"]
