"""CORS on our own answers."""

import pytest

from gateway.http.server.cors import Cors


def made(
    origins: list[str],
    methods: list[str],
    headers: tuple[str, ...] | list[str] = ("content-type",),
    *,
    credentials: bool = False,
    max_age: int = 600,
) -> Cors:
    return Cors(origins, methods, headers, credentials=credentials, max_age=max_age)


def test_an_allowed_origin_is_named() -> None:
    cors = made(["https://A.example"], ["POST"], credentials=True)
    lines = cors.answer_lines(b"https://a.example")
    assert b"Access-Control-Allow-Origin: https://a.example\r\n" in lines
    assert b"Access-Control-Allow-Credentials: true\r\n" in lines
    assert b"Vary: Origin\r\n" in lines
    assert b"Tidegate-Message-Id" in lines


def test_others_learn_nothing_but_caches_are_told() -> None:
    cors = made(["https://a.example"], ["POST"])
    assert cors.answer_lines(b"https://b.example") == b"Vary: Origin\r\n"
    assert cors.answer_lines(None) == b"Vary: Origin\r\n"
    assert cors.preflight_lines(b"https://b.example") is None
    assert cors.preflight_lines(None) is None


def test_a_preflight() -> None:
    cors = made(["*"], ["POST", "PUT"], ["content-type", "x-token"], max_age=60)
    assert cors.preflight_lines(b"null") == (
        b"Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Methods: POST, PUT\r\n"
        b"Access-Control-Allow-Headers: content-type, x-token\r\nAccess-Control-Max-Age: 60\r\n"
    )


def test_credentials_for_everybody_are_refused() -> None:
    with pytest.raises(ValueError, match="name the origins"):
        made(["*"], ["POST"], credentials=True)


def test_all_below_a_name() -> None:
    cors = made(["https://*.a.example", "same", "http://b.example:8080"], ["POST"])
    for origin in (b"https://x.a.example", b"https://y.x.A.example", b"http://b.example:8080"):
        assert cors.allows(origin)
    for origin in (
        b"https://a.example",
        b"https://xa.example",
        b"http://x.a.example",
        b"https://x.a.example.evil",
        b"",
        b"same",
    ):
        assert not cors.allows(origin)
    assert not cors.allows(b"https://evil/x.a.example")
    assert not made(["same"], ["POST"]).allows(b"")
