"""The shapes of a route's answers: what is refused, and what is only doubtful."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import config
from gateway.config import Config

Written = Callable[..., Path]
Read = Callable[..., Config]

SOCKET = (
    'match = "POST /articles/{room}/comments"',
    'match = "GET /articles/{room}/comments"\ntransport = "websocket"',
)


def told(written: Written, shapes: str, socket: bool = False) -> list[str]:
    _, problems = config.check(written(*(SOCKET if socket else ()), more=shapes), environ={})
    return [str(problem).partition(": ")[2] for problem in problems]


@pytest.mark.parametrize(
    "shape",
    [
        '[routes.refusal]\nbody = { code = 1, msg = "{title}", to = "{json:/id}" }',
        '[routes.refusal]\nbody = ["{json:/0}", 7, null_is = "x"]'.replace(', null_is = "x"', ""),
        '[routes.refusal]\nstatus = 200\nbody = ""',
        '[routes.refusal]\nbody = "<p>{title}</p>"\ntype = "text/html; charset=utf-8"',
        '[routes.refusal]\nredirect = "https://www.platform.example/a/{path:room}?why={reason}"',
        '[[routes.refusal]]\naccepts = "text/html"\npage = true\n[[routes.refusal]]\nbody = { a = "{form:a}" }',
        '[[routes.refusal]]\nreasons = ["limit", "keyword.match"]\nbody = []\n[[routes.refusal]]\npage = true',
    ],
)
def test_what_is_taken(written: Written, shape: str) -> None:
    assert told(written, shape) == []


@pytest.mark.parametrize(
    ("shape", "key", "said"),
    [
        ("[routes.refusal]\nstatus = 200", "refusal", "says nothing"),
        ("[routes.refusal]\nbody = {}\npage = true", "refusal", "has body and page: choose one"),
        ('[routes.refusal]\nbody = "{tilte}"', "refusal.body", "unknown placeholder {tilte}"),
        ('[routes.refusal]\nbody = { a = [{ "{x}" = 1 }] }', "refusal.body", "unknown placeholder {x}"),
        ('[routes.refusal]\nbody = "{cookie:sid}"', "refusal.body", "can be repeated"),
        ('[routes.refusal]\nbody = "{jwt:sub}"', "refusal.body", "can be repeated"),
        ('[routes.refusal]\nbody = "{json:id}"', "refusal.body", "does not name its source"),
        ('[routes.refusal]\nbody = {}\ntype = "text/html"', "refusal.type", "is for a body that is a text"),
        ('[routes.refusal]\nbody = "a"\ntype = "html"', "refusal.type", "is not a media type"),
        ('[routes.refusal]\nredirect = "//evil.example/"', "refusal.redirect", "is not an address"),
        ('[routes.refusal]\nredirect = "{query:next}"', "refusal.redirect", "is not an address"),
        ('[routes.refusal]\nredirect = "https://{header:Host}/"', "refusal.redirect", "is not an address"),
        ('[routes.refusal]\nbody = ""\nstatus = 204', "refusal.status", "has no body"),
        ("[routes.refusal]\npage = true\nstatus = 304", "refusal.status", "has no body"),
        (
            '[routes.refusal]\nbody = ""\nheaders = { "content-length" = "1" }',
            "refusal.headers",
            "how an answer is sent",
        ),
        (
            '[routes.refusal]\nredirect = "/a"\nheaders = { Location = "/b" }',
            "refusal.headers",
            "how an answer is sent",
        ),
        (
            "[routes.refusal]\nbody = '<a href=\"{query:next}\">{title}</a>'\ntype = 'text/html'",
            "refusal.body",
            "repeats a value in href of <a>",
        ),
        (
            "[routes.refusal]\nbody = '<script>f(\"{form:a}\")</script>'\ntype = 'application/xhtml+xml'",
            "refusal.body",
            "repeats a value in <script>",
        ),
        ('[routes.refusal]\nredirect = "/a b"', "refusal.redirect", "is not an address"),
        ('[routes.refusal]\nredirect = "/a"\nstatus = 200', "refusal.status", "is no redirect"),
        ("[routes.refusal]\nsilent = true", "refusal.silent", "a request has to be answered"),
        ('[routes.refusal]\nbody = {}\nreasons = ["limt"]', "refusal.reasons[1]", "did you mean “limit”?"),
        ('[routes.refusal]\nbody = {}\nverdicts = ["refuse"]', "refusal.verdicts", "is not one of"),
        ("[routes.refusal]\nbody = {}\nverdicts = []", "refusal.verdicts", "too few"),
        ('[routes.refusal]\nbody = {}\nheaders = { "a b" = "c" }', "refusal.headers", "is no header's"),
        ('[routes.refusal]\nbody = {}\nheaders = { a = "b\\r\\nc" }', "refusal.headers", "no header can carry"),
        ("[routes.refusal]\nbody = {}\nstats = 1", "refusal.stats", "did you mean “status”?"),
        ("[routes.refusal]\nbody = {}\nstatus = 100", "refusal.status", "too small: at least 200"),
        ("[[routes.refusal]]\nbody = {}\n[[routes.refusal]]\nbody = {}", "refusal[2]", "is never asked"),
    ],
)
def test_what_is_refused(written: Written, shape: str, key: str, said: str) -> None:
    [problem] = told(written, shape)
    assert key in problem
    assert said in problem


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ("[routes.refusal]\npage = true", "is for HTTP: a notice"),
        ('[routes.refusal]\nredirect = "/a"', "is for HTTP: a notice"),
        ("[routes.refusal]\nbody = {}\nstatus = 200", "has none"),
    ],
)
def test_what_is_refused_on_sockets(written: Written, shape: str, said: str) -> None:
    [problem] = told(written, shape, socket=True)
    assert said in problem


@pytest.mark.parametrize(
    ("shape", "missing"),
    [
        ("[routes.refusal]\nbody = {}", "mask, unmute are told"),
        ('[[routes.refusal]]\nbody = {}\n[[routes.refusal]]\nverdicts = ["mask", "unmute"]\nsilent = true', ""),
        ('[routes.refusal]\nbody = {}\nreasons = ["limit"]', "reject, mute, close, mask, unmute are told"),
        ("", ""),
        ('message_when = { "/3" = "new_msg" }', "frames are arrays"),
        ('message_when = { "/type" = "subscribe" }', "frames are those of graphql-transport-ws"),
        ('[[routes.messages]]\nwhen = { "json:/type" = ["subscribe"] }', "frames are those of graphql-transport-ws"),
        ('[[routes.messages]]\nwhen = { "json:/type" = "say" }\ntext = "json:/4/body"', "frames are arrays"),
        ('message_when = { "/type" = "say" }', ""),
    ],
)
def test_notices_that_would_stand_in_our_words(read: Read, shape: str, missing: str) -> None:
    doubts = [one for one in config.warnings(read(*SOCKET, more=shape)) if ".refusal: " in one]
    assert len(doubts) == bool(missing)
    assert not missing or missing in doubts[0]


def test_a_socket_of_plain_text_is_not_told_in_json(written: Written) -> None:
    file = written(*SOCKET)
    text = file.read_text(encoding="utf-8").replace('text = "json:/content"', 'text = "text:"\nformat = "text"')
    file.write_text(text, encoding="utf-8")
    assert [one for one in config.warnings(config.load(file, environ={})) if "frames are text" in one]


def test_a_code_needs_somebody_who_makes_it(written: Written) -> None:
    shape = '[routes.refusal]\nbody = { appeal = "{code}" }\n'
    (problem,) = told(written, shape)
    assert "has {code}, and nobody makes codes: add [appeals]" in problem
    assert told(written, shape + "[appeals]\n") == []


@pytest.mark.parametrize(("more", "count"), [("", 1), ("[appeals]\n", 0)])
def test_so_does_one_in_an_address(written: Written, more: str, count: int) -> None:
    _, problems = config.check(written("?message={id}", "?code={code}", more=more), environ={})
    assert len([one for one in problems if "nobody makes codes" in str(one)]) == count
