"""The mirror over HTTP: what is found, what is not, and what caches are told."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import brotli
import orjson
import pytest

from gateway.mirror.pages.names import folder_name
from gateway.mirror.pages.pages import Pages
from gateway.mirror.serving import file_cache
from gateway.mirror.serving.file_cache import FileCache
from gateway.mirror.serving.mirror_files import Answer, MirrorFiles
from gateway.mirror.serving.negotiation import accepted, matches


@pytest.fixture
def files(mirror: Any) -> MirrorFiles:
    return MirrorFiles(mirror.root, "/mirror/", Pages("en", "/mirror/"), 60)


def get(files: MirrorFiles, path: str, **fields: str) -> Answer:
    named = {name.replace("_", "-").encode(): value.encode() for name, value in fields.items()}
    return files.answer(path.encode(), b"", named)


def header(answer: Answer, name: str) -> str:
    found = re.search(rf"^{name}: (.*)\r$", answer.lines.decode(), re.M)
    return found[1] if found else ""


def test_a_page_and_its_encodings(node, mirror, files: MirrorFiles) -> None:
    node.bullets(12)
    mirror.turns()
    plain = get(files, "/mirror/r1/1.html")
    assert plain.status == 200
    assert plain.body == (mirror.root / "r1" / "1.html").read_bytes()
    assert plain.content_type == b"text/html; charset=utf-8"
    assert header(plain, "Cache-Control") == "max-age=60, must-revalidate"
    assert header(get(files, "/mirror/r1/1.json"), "Cache-Control") == "max-age=60, must-revalidate"
    for growing in ("", "fragment", "index.json", "2.html", "2.json"):
        assert header(get(files, f"/mirror/r1/{growing}"), "Cache-Control") == "no-cache"
    assert header(get(files, "/mirror/nowhere/"), "Cache-Control") == "no-cache"
    assert header(plain, "Vary") == "Accept-Encoding"
    assert header(plain, "X-Robots-Tag") == "noindex"
    assert header(plain, "X-Content-Type-Options") == "nosniff"
    assert "frame-ancestors 'self'" in header(plain, "Content-Security-Policy")
    packed = get(files, "/mirror/r1/1", accept_encoding="gzip, br")
    assert header(packed, "Content-Encoding") == "br"
    assert brotli.decompress(packed.body) == plain.body
    zipped = get(files, "/mirror/r1/1.html", accept_encoding="br;q=0, gzip")
    assert gzip.decompress(zipped.body) == plain.body
    tags = {header(one, "ETag") for one in (plain, packed, zipped)}
    assert len(tags) == 3
    told = orjson.loads(get(files, "/mirror/r1/1.json").body)
    assert len(told["bullets"]) == 10
    assert orjson.loads(brotli.decompress(get(files, "/mirror/r1/1.json", accept_encoding="br").body)) == told


def test_unchanged_is_304_and_a_removal_changes_the_tag(node, mirror, files: MirrorFiles) -> None:
    ids = node.bullets(12)
    mirror.turns()
    tag = header(get(files, "/mirror/r1/1.html"), "ETag")
    again = get(files, "/mirror/r1/1.html", if_none_match=f'"x", {tag}')
    assert (again.status, again.body) == (304, b"")
    assert header(again, "ETag") == tag
    assert header(again, "Cache-Control")
    node.remove(ids[0])
    mirror.turn()
    changed = get(files, "/mirror/r1/1.html", if_none_match=tag)
    assert changed.status == 200
    assert ids[0].encode() not in changed.body
    assert ids[0].encode() not in brotli.decompress(get(files, "/mirror/r1/1.html", accept_encoding="br").body)


def test_the_head_shows_the_newest_first_over_two_pages(node, mirror, files: MirrorFiles) -> None:
    ids = node.bullets(13)
    mirror.turns()
    head = get(files, "/mirror/r1/")
    shown = re.findall(r'<li data-id="([^"]*)"', head.body.decode())
    assert shown == ids[::-1]
    assert "13 bullets" in head.body.decode()
    part = get(files, "/mirror/r1/fragment")
    assert part.body in head.body
    assert b"<html" not in part.body
    assert orjson.loads(get(files, "/mirror/r1/index.json").body) == {"room": "r1", "bullets": 13, "pages": 2}
    tag = header(head, "ETag")
    assert get(files, "/mirror/r1/index.html", if_none_match=tag).status == 304
    newest = node.bullet()
    mirror.turn()
    assert newest.encode() in get(files, "/mirror/r1/", if_none_match=tag).body


def test_the_head_takes_no_more_than_it_needs(node, mirror, files: MirrorFiles) -> None:
    mirror.page_size = 60
    ids = node.bullets(130)
    mirror.turns()
    shown = re.findall(r'<li data-id="([^"]*)"', get(files, "/mirror/r1/").body.decode())
    assert shown == ids[:-51:-1]


def test_the_open_page_as_json(node, mirror, files: MirrorFiles) -> None:
    ids = node.bullets(12)
    mirror.turns()
    told = orjson.loads(get(files, "/mirror/r1/2.json").body)
    assert (told["complete"], [one["id"] for one in told["bullets"]]) == (False, ids[10:])
    assert get(files, "/mirror/r1/3.json").status == 404
    assert get(files, "/mirror/r1/3.html").status == 404


def test_a_room_without_bullets_has_an_empty_list(mirror, files: MirrorFiles) -> None:
    assert mirror.life.caught_up is False
    for path in ("/mirror/nobody/", "/mirror/nobody/fragment"):
        answer = get(files, path)
        assert answer.status == 200
        assert b"No bullets yet" in answer.body
    assert orjson.loads(get(files, "/mirror/nobody/index.json").body)["bullets"] == 0
    assert get(files, "/mirror/nobody/1.html").status == 404


@pytest.mark.parametrize("path", ["/mirror/%E6%88%BF%20%E9%97%B4/", "/mirror/=E6=88=BF=20=E9=97=B4/"])
def test_a_room_by_each_of_its_names(node, mirror, files: MirrorFiles, path: str) -> None:
    node.bullet("hello", "房 间")
    mirror.turn()
    assert b"hello" in get(files, path).body


@pytest.mark.parametrize("room", ["a=2E", "a.b" + "c" * 140, "=E6", "x" * 210, "a%41"])
def test_rooms_that_look_like_folders(node, mirror, files: MirrorFiles, room: str) -> None:
    node.bullet("hello", room)
    mirror.turn()
    assert b"hello" in get(files, f"/mirror/{quote(room, safe='=')}/").body
    assert b"hello" in get(files, f"/mirror/{folder_name(room)}/").body


def test_a_folder_has_a_slash(files: MirrorFiles) -> None:
    answer = get(files, "/mirror/r1")
    assert (answer.status, header(answer, "Location")) == (308, "/mirror/r1/")


@pytest.mark.parametrize(
    "path",
    [
        "/mirror/",
        "/mirror/../etc/passwd",
        "/mirror/%2e%2e/%2e%2e/etc/passwd",
        "/mirror/..%2f..%2fetc/passwd",
        "/mirror/r1/../../secret",
        "/mirror/r1/.room.0",
        "/mirror/r1/.index",
        "/mirror/r1/%2Eroom.0",
        "/mirror/.projector/checkpoint",
        "/mirror/%2Eprojector/checkpoint",
        "/mirror/r1/1.html.gz",
        "/mirror/r1/0.html",
        "/mirror/r1/01.html",
        "/mirror/r1/1.html/x",
        "/mirror/r1/-1",
        "/mirror/r1/99999999999.html",
        "/mirror/%FF/",
        "/mirror/a%00b/",
        "/elsewhere/r1/",
    ],
)
def test_nothing_else_is_served(node, mirror, files: MirrorFiles, path: str) -> None:
    node.bullets(12)
    mirror.turns()
    answer = get(files, path)
    assert answer.status == 404 or (answer.status == 200 and b"No bullets yet" in answer.body)
    assert b"hello" not in answer.body
    assert b"positions" not in answer.body


def test_only_reading(files: MirrorFiles) -> None:
    for method in (b"POST", b"DELETE", b"PUT"):
        answer = files.answer(b"/mirror/r1/", b"", {}, method)
        assert (answer.status, header(answer, "Allow")) == (405, "GET, HEAD")
    assert files.answer(b"/mirror/r1/", b"", {}, b"HEAD").status == 200


def test_the_script(files: MirrorFiles) -> None:
    answer = get(files, "/mirror/embed.js")
    assert answer.content_type == b"text/javascript; charset=utf-8"
    assert b"currentScript" in answer.body
    assert get(files, "/mirror/embed.js", if_none_match=header(answer, "ETag")).status == 304


def test_damage_is_no_answer_but_unavailable(node, mirror, files: MirrorFiles) -> None:
    node.bullet()
    mirror.turn()
    (mirror.root / "r1" / ".routes").write_bytes(b"garbage")
    answer = get(files, "/mirror/r1/")
    assert (answer.status, header(answer, "Retry-After")) == (503, "2")


def test_a_room_called_like_the_script(node, mirror, files: MirrorFiles) -> None:
    node.bullet("hello", "embed.js")
    mirror.turn()
    assert b"hello" in get(files, "/mirror/embed.js/").body
    assert b"currentScript" in get(files, "/mirror/embed.js").body


def test_copies_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_cache, "MAX_BYTES", 1000)
    held = FileCache()
    for number in range(30):
        (tmp_path / str(number)).write_bytes(b"x" * 100)
        assert held.file(tmp_path / str(number)) is not None
    assert held._size <= 1000
    (tmp_path / "large").write_bytes(b"x" * 400)
    assert held.file(tmp_path / "large") is not None
    assert (str(tmp_path / "large"), "") not in held._held
    assert held.file(tmp_path / "absent") is None


def test_copies_follow_the_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    held = FileCache()
    made: list[bytes] = []

    def make(data: bytes) -> bytes:
        made.append(data)
        return data.upper()

    path.write_bytes(b"a")
    for _ in range(3):
        copy = held.made(path, "upper", make)
        assert copy is not None
        assert copy.data == b"A"
    assert made == [b"a"]
    (tmp_path / "other").write_bytes(b"b")
    (tmp_path / "other").replace(path)
    copy = held.made(path, "upper", make)
    assert copy is not None
    assert copy.data == b"B"


@pytest.mark.parametrize(
    ("field", "coding"),
    [
        (None, ""),
        (b"", ""),
        (b"gzip", "gzip"),
        (b"br;q=0.1, gzip;q=1.0", "br"),
        (b"BR", "br"),
        (b"*", "br"),
        (b"*;q=0", ""),
        (b"*, br;q=0", "gzip"),
        (b"identity", ""),
        (b"br;q=nonsense", ""),
        (b"gzip;q=0", ""),
    ],
)
def test_accept_encoding(field: bytes | None, coding: str) -> None:
    assert accepted(field, ("br", "gzip")) == coding


@pytest.mark.parametrize(
    ("field", "found"),
    [
        (None, False),
        (b"*", True),
        (b'"a"', True),
        (b'W/"a"', True),
        (b'"b", "a"', True),
        (b'"aa"', False),
        (b"a", False),
    ],
)
def test_if_none_match(field: bytes | None, found: bool) -> None:
    assert matches(field, b'"a"') is found
