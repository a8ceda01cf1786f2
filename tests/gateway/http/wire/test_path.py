"""Paths: the normal form, what departs from it, and templates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.wire.path import NormalPath, clean_segment, normalise, parse_template, remove_dot_segments, shadow


@pytest.mark.parametrize(
    ("path", "normal", "flaw"),
    [
        (b"/", b"/", ""),
        (b"/a/b.c/~d-e_f/", b"/a/b.c/~d-e_f/", ""),
        (b"/a/%E4%BD%A0", b"/a/%E4%BD%A0", ""),
        (b"/a/%e4%bd%a0", b"/a/%E4%BD%A0", ""),
        (b"/.well-known/x", b"/.well-known/x", ""),
        (b"/%61b", b"/ab", "path.needless_encoding"),
        (b"/a%2fb", b"/a%2Fb", "path.encoded_slash"),
        (b"/a%5Cb", b"/a%5Cb", "path.encoded_slash"),
        (b"/a%00b", b"/a%00b", "path.encoded_slash"),
        (b"//a", b"//a", "path.empty_segment"),
        (b"/a//", b"/a//", "path.empty_segment"),
        (b"/a/./b", b"/a/b", "path.dot_segment"),
        (b"/a/../b", b"/b", "path.dot_segment"),
        (b"/a/..", b"/", "path.dot_segment"),
        (b"/a/%2e%2e/b", b"/b", "path.needless_encoding"),
        (b"/a;x=1/b", b"/a;x=1/b", "path.parameters"),
        (b"/a%zz", b"/a%zz", "path.percent"),
        (b"/a%4", b"/a%4", "path.percent"),
        (b"/a\\b", b"/a\\b", "path.character"),
        (b"/\xe4\xbd\xa0", b"/\xe4\xbd\xa0", "path.character"),
        (b'/a"b', b'/a"b', "path.character"),
    ],
)
def test_the_normal_form(path: bytes, normal: bytes, flaw: str) -> None:
    assert normalise(path) == NormalPath(normal, flaw)


@given(
    st.lists(st.sampled_from(["a", "B", ".", "..", "", "%61", "%2f", "%E4", "%zz", ";p", "~", "%2e", "é"]), max_size=8)
)
def test_the_normal_form_is_its_own(parts: list[str]) -> None:
    normal = normalise(("/" + "/".join(parts)).encode()).path
    assert normalise(normal).path == normal


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        (b"/a/./b/../c", b"/a/c"),
        (b"/../../a", b"/a"),
        (b"/a/.", b"/a/"),
        (b"/a/..", b"/"),
        (b"/mid/content=5/../6", b"/mid/6"),
    ],
)
def test_dot_segments_as_in_the_rfc(path: bytes, plain: bytes) -> None:
    assert remove_dot_segments(path) == plain


@pytest.mark.parametrize(
    "path",
    [
        b"/api/x",
        b"//api//x/",
        b"/API/X",
        b"/%61pi/x",
        b"/%2561pi/x",
        b"/api;v=1/x",
        b"/api\\x",
        b"/api%2fx",
        b"/y/../api/x",
    ],
)
def test_every_disguise_has_one_shadow(path: bytes) -> None:
    assert shadow(path) == b"/api/x"


def test_a_variables_segment() -> None:
    assert clean_segment(b"a1")
    assert clean_segment(b"a-b.c")
    assert clean_segment(b"%E4%BD%A0")
    for odd in (b"", b".", b"..", b"a%2Fb", b"%61", b"a;b", b"%e4", b"a/b"):
        assert not clean_segment(odd)


def test_a_template() -> None:
    template = parse_template("PUT|PATCH Forum.Example/api/articles/{room}/comments/{id}")
    assert template.methods == (b"PUT", b"PATCH")
    assert template.host == b"forum.example"
    assert template.segments == (b"api", b"articles", None, b"comments", None)
    assert template.names == ("room", "id")
    assert template.prefix == b"/api/articles/"
    assert parse_template("GET /a/b").prefix == b"/a/b"


@pytest.mark.parametrize(
    "text",
    ["/a", "POST", "POST a", "post /a", "POST /a/{x}/{x}", "POST /a//b", "POST /a/x{y}", "POST h:80/a", "GET /a/../b"],
)
def test_a_template_that_is_none_says_why(text: str) -> None:
    with pytest.raises(ValueError, match=" "):
        parse_template(text)
