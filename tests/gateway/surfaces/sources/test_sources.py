"""Where values are read from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.surfaces.input.forms import Wanted, urlencoded
from gateway.surfaces.input.pointer import MISSING
from gateway.surfaces.input.reading import ParsedRequest
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.input.settings import SurfaceError
from gateway.surfaces.sources.sources import compiled, first

MakeRequest = Callable[..., Any]


@pytest.fixture
def reading(make_request: MakeRequest) -> ParsedRequest:
    made = ParsedRequest(
        make_request(
            [("X-User", "alice"), ("X-Two", "a"), ("X-Two", "b"), ("Cookie", "user=carol"), ("X-Name", "张三")],
            query=b"uid=bob&two=1&two=2&enc=%E5%BC%A0&Case=x",
            parameters={"room": "r/1"},
        )
    )
    made.document = {"user": {"id": 7}, "ok": True}
    made.form = Wanted(["uid"]).select(urlencoded(b"uid=dave"))
    return made


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("header:X-User", "alice"),
        ("header:x-user", "alice"),
        ("header:X-Name", "张三"),
        ("header:X-None", MISSING),
        ("cookie:user", "carol"),
        ("cookie:none", MISSING),
        ("query:uid", "bob"),
        ("query:enc", "张"),
        ("query:none", MISSING),
        ("path:room", "r/1"),
        ("path:none", MISSING),
        ("json:/user/id", 7),
        ("json:/ok", True),
        ("json:/none", MISSING),
        ("form:uid", "dave"),
        ("form:none", MISSING),
    ],
)
def test_read(reading: ParsedRequest, source: str, value: object) -> None:
    assert compiled(source, "sender")(reading) == value


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("header:X-Two", "fact.twice"),
        ("query:two", "fact.twice"),
        ("query:case", "fact.twice"),
        ("json:/User/id", "body.key_case"),
    ],
)
def test_refused(reading: ParsedRequest, source: str, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        compiled(source, "sender")(reading)
    assert refused.value.reason == reason


def test_two_cookie_headers(make_request: MakeRequest) -> None:
    with pytest.raises(Refused, match=r"fact\.twice"):
        compiled("cookie:user", "sender")(ParsedRequest(make_request([("Cookie", "user=a"), ("Cookie", "x=b")])))


def test_a_header_that_is_not_utf8(make_request: MakeRequest) -> None:
    request = make_request([])._replace(fields={b"x-user": b"\xff"})
    with pytest.raises(Refused, match=r"fact\.malformed"):
        compiled("header:X-User", "sender")(ParsedRequest(request))


def test_a_broken_query(make_request: MakeRequest) -> None:
    with pytest.raises(Refused, match=r"fact\.malformed"):
        compiled("query:uid", "sender")(ParsedRequest(make_request([], query=b"uid=%zz")))


def test_nothing_to_look_into(make_request: MakeRequest) -> None:
    empty = ParsedRequest(make_request([]))
    for source in ("cookie:user", "query:uid", "json:/a", "form:uid"):
        assert compiled(source, "sender")(empty) is MISSING


def test_an_upload_is_no_value(reading: ParsedRequest) -> None:
    field = reading.form.fields["uid"]._replace(file=True)  # type: ignore[union-attr]
    reading.form.fields["uid"] = field  # type: ignore[union-attr]
    with pytest.raises(Refused, match=r"fact\.malformed"):
        compiled("form:uid", "sender")(reading)


def test_the_first_that_is_present_counts(reading: ParsedRequest) -> None:
    assert first(("header:X-None", "cookie:user", "query:uid"), "sender", None)(reading) == "carol"
    assert first(("header:X-None", "cookie:none"), "sender", None)(reading) is MISSING
    with pytest.raises(Refused, match=r"fact\.twice"):
        first(("header:X-Two", "cookie:user"), "sender", None)(reading)


@pytest.mark.parametrize("source", ["", "X-User", "env:HOME", "header:", "json:user", "jwt:sub"])
def test_settings_that_make_no_sense(source: str) -> None:
    with pytest.raises(SurfaceError, match="sender"):
        compiled(source, "sender")


@pytest.mark.parametrize(
    ("document", "value"),
    [
        ({"a": "x", "b": "y"}, "x"),
        ({"a": "", "b": "y"}, "y"),
        ({"a": None, "b": "y"}, "y"),
        ({"a": None, "b": ""}, None),
        ({"a": "", "b": None}, ""),
        ({"a": "", "b": 0}, 0),
        ({}, MISSING),
    ],
)
def test_what_is_empty_or_null_gives_way(make_request: MakeRequest, document: Any, value: Any) -> None:
    reading = ParsedRequest(make_request())
    reading.document = document
    assert first(("json:/a", "json:/b"), "sender", None)(reading) == value
