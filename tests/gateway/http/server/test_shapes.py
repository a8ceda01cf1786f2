"""The platform's own shapes: which one answers, and what it says."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.server.problem import Problem
from gateway.http.server.shapes import MAX_ECHO, AnswerShape, AnswerShapes, prefers_pages

FULL = Problem(
    403, "keyword.match", "Not published", "It holds a word.", "m1", "agreement 3.1", "spam",
    "https://platform.example/appeal?message={id}", 1.2,
)  # fmt: skip
LIMITED = FULL._replace(status=429, reason="limit.sender")
DOWN = FULL._replace(status=503, reason="journal.unavailable")


def answered(shape: AnswerShape, problem: Problem = FULL, values: dict[str, Any] | None = None) -> Any:
    return orjson.loads(shape.text(problem, None if values is None else values.get))


def test_the_platforms_shape() -> None:
    body = {
        "code": 12001,
        "msg": "{title} ({reason})",
        "{x}": "{unknown}",
        "data": [{"id": "{id}", "s": "{status}", "w": "in {retry_after} s", "{status}": "{retry_after}"}],
        "ms": "{retry_after_ms}",
    }
    shape = AnswerShape(200, body, {"X-A": "b"})
    assert answered(shape, FULL._replace(title='say "no"\n{id}')) == {
        "code": 12001,
        "msg": 'say "no"\n{id} (keyword.match)',
        "{x}": "{unknown}",
        "data": [{"id": "m1", "s": 403, "w": "in 2 s", "403": 2}],
        "ms": 1200,
    }
    told = AnswerShapes(shape).answer(FULL, None, b"")
    assert told is not None
    assert (told.status, told.lines, told.content_type) == (200, b"X-A: b\r\n", b"application/json")


def test_a_text() -> None:
    shape = AnswerShape(0, "ERR {reason} {retry_after} {appeal}")
    assert shape.text(FULL, None) == b"ERR keyword.match 2 https://platform.example/appeal?message=m1"


def test_a_list_repeats_what_it_answers_with_its_types() -> None:
    """A reply of Phoenix: [join reference, reference, topic, event, payload]."""
    body = ["{json:/0}", "{json:/1}", "{json:/2}", "phx_reply", {"status": "error", "response": {"reason": "{reason}"}}]
    values = {"json:/0": None, "json:/1": "7", "json:/2": "room:1"}
    told = [None, "7", "room:1", "phx_reply", {"status": "error", "response": {"reason": "keyword.match"}}]
    assert answered(AnswerShape(0, body), values=values) == told


@pytest.mark.parametrize("value", [7, 7.5, "7", None, True, {"a": [1]}, [None], ""])
def test_a_value_alone_keeps_its_type(value: Any) -> None:
    assert answered(AnswerShape(0, {"id": "{json:/id}"}), values={"json:/id": value}) == {"id": value}


@pytest.mark.parametrize(
    ("value", "text"), [(7, "7"), ("a", "a"), (True, "true"), (None, ""), ({"a": 1}, ""), ([1], ""), (False, "false")]
)
def test_within_a_text_it_is_text(value: Any, text: str) -> None:
    assert answered(AnswerShape(0, {"m": "re {json:/id}!"}), values={"json:/id": value}) == {"m": f"re {text}!"}


def test_what_is_not_at_hand_is_null() -> None:
    assert answered(AnswerShape(0, {"id": "{json:/id}", "m": "<{json:/id}>"})) == {"id": None, "m": "<>"}


def test_a_long_value_is_none() -> None:
    long = "a" * (MAX_ECHO - 2)
    assert answered(AnswerShape(0, ["{json:/id}"]), values={"json:/id": long}) == [long]
    assert answered(AnswerShape(0, ["{json:/id}"]), values={"json:/id": long + "a"}) == [None]
    assert answered(AnswerShape(0, ["{json:/id}"]), values={"json:/id": "\ud800"}) == [None]


def test_html_is_escaped() -> None:
    shape = AnswerShape(0, "<p title='{query:q}'>{title}", media_type="text/html; charset=utf-8")
    told = shape.text(FULL._replace(title="<b>&'"), {"query:q": "'><script>"}.get)
    assert told == b"<p title='&#x27;&gt;&lt;script&gt;'>&lt;b&gt;&amp;&#x27;"


def test_the_first_that_fits_answers() -> None:
    shapes = AnswerShapes(
        AnswerShape(429, {"wait": "{retry_after}"}, reasons=["limit", "repeat.sender"]),
        AnswerShape(200, {"muted": True}, verdicts=["mute"]),
        AnswerShape(200, {"code": 1}),
    )
    assert answered(shapes.of("reject", LIMITED) or AnswerShape(), LIMITED) == {"wait": 2}
    assert answered(shapes.of("reject", FULL) or AnswerShape()) == {"code": 1}
    assert answered(shapes.of("mute", FULL) or AnswerShape()) == {"muted": True}
    assert answered(shapes.of("close", FULL) or AnswerShape()) == {"code": 1}
    assert shapes.of("mask", FULL) is None
    assert shapes.of("unmute", FULL) is None


@pytest.mark.parametrize(
    ("reason", "fits"), [("limit.sender", True), ("limit", True), ("limits.x", False), ("li", False)]
)
def test_a_group_is_what_stands_before_a_dot(reason: str, fits: bool) -> None:
    assert (AnswerShapes(AnswerShape(reasons=["limit"])).of("reject", FULL._replace(reason=reason)) is not None) is fits


def test_a_redirect_for_who_may_follow_it() -> None:
    shapes = AnswerShapes(AnswerShape(redirect="/a/{path:room}?why={reason}&w={title}#c"))
    told = shapes.bound({"path:room": "a/../b?\r\nX: y"}.get).answer(FULL, None, b"")
    assert told is not None
    assert (told.status, told.body) == (303, b"")
    assert told.lines == (b"Location: /a/a%2F..%2Fb%3F%0D%0AX%3A%20y?why=keyword.match&w=Not%20published#c\r\n")
    assert shapes.answer(DOWN, None, b"") is None  # a failure of ours keeps its status


def test_forms_get_a_page_and_scripts_what_they_read() -> None:
    shapes = AnswerShapes(AnswerShape(page=True, accepts="text/html"), AnswerShape(200, {"code": 1}))
    told = shapes.answer(FULL, b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", b"")
    assert told is not None
    assert (told.status, told.content_type) == (403, b"text/html; charset=utf-8")
    assert shapes.vary == b"Vary: Accept\r\n"
    assert b"default-src 'none'" in told.lines
    script = shapes.answer(FULL, b"*/*", b"")
    assert script is not None
    assert (script.status, script.body, AnswerShapes(AnswerShape()).vary) == (200, b'{"code":1}', b"")


@pytest.mark.parametrize(
    ("spoken", "lang", "words"),
    [
        (b"Content-Language: zh-CN\r\n", b"zh-CN", "申诉"),
        (b"Content-Language: en\r\n", b"en", "Appeal"),
        (b"", b"en", "Appeal"),
    ],
)
def test_the_page_is_in_the_readers_language(spoken: bytes, lang: bytes, words: str) -> None:
    problem = FULL._replace(title="<i>", ground='"', appeal='https://p.example/?a="&id={id}')
    told = AnswerShapes(AnswerShape(page=True)).answer(problem, None, spoken)
    assert told is not None
    assert b'<html lang="%b">' % lang in told.body
    assert words in told.body.decode()
    assert b"<i>" not in told.body
    assert b'href="https://p.example/?a=&quot;&amp;id=m1"' in told.body
    assert spoken in told.lines


def test_a_failure_of_ours_is_told_as_one_in_any_shape() -> None:
    for shape in (AnswerShape(200, {"code": 1}), AnswerShape(200, page=True)):
        told = AnswerShapes(shape).answer(DOWN, None, b"")
        assert told is not None
        assert told.status == 503


@pytest.mark.parametrize(
    ("accept", "pages"),
    [
        (None, False), (b"", False), (b"*/*", False), (b"application/json", False), (b"text/html", True),
        (b"text/html,application/json", False), (b"TEXT/HTML;q=0.9, application/json;q=0.8", True),
        (b"text/html;q=0", False), (b"text/html;q=x", False), (b"application/problem+json, text/html;q=0.5", False),
        (b"application/xhtml+xml", True), (b"," * 5000, False),
    ],
)  # fmt: skip
def test_who_prefers_pages(accept: bytes | None, pages: bool) -> None:
    assert prefers_pages(accept) is pages


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(_json, st.text(max_size=30))
def test_whatever_is_repeated_the_answer_keeps_its_form(value: Any, title: str) -> None:
    shape = AnswerShape(0, {"a": "{json:/x}", "b": ["{title}", "x{json:/x}"], "c": 1})
    told = answered(shape, FULL._replace(title=title), {"json:/x": value})
    assert set(told) == {"a", "b", "c"}
    assert told["a"] == value
    assert told["b"][0] == title


@pytest.mark.parametrize(
    "media_type", ["text/html; charset=utf-8", "application/xhtml+xml", "text/xml", "image/svg+xml"]
)
def test_a_value_is_no_markup(media_type: str) -> None:
    shape = AnswerShape(0, "<p title='{json:/a}'>{title}</p>", media_type=media_type)
    told = shape.text(FULL._replace(title="<b>"), {"json:/a": "'><script>"}.get)
    assert told == b"<p title='&#x27;&gt;&lt;script&gt;'>&lt;b&gt;</p>"


@pytest.mark.parametrize("media_type", ["application/json", "application/problem+json", "text/javascript"])
def test_nor_the_end_of_a_string(media_type: str) -> None:
    shape = AnswerShape(0, '{"id": "{json:/a}"}', media_type=media_type)
    value = "\"\\</script>\n\u2028'"
    assert orjson.loads(shape.text(FULL, {"json:/a": value}.get)) == {"id": value}
    assert b"<" not in shape.text(FULL, {"json:/a": value}.get)


@pytest.mark.parametrize("depth", [1, 100, 249, 252, 253, 254, 255, 400])
def test_a_value_of_any_depth_is_answered(depth: int) -> None:
    value: Any = []
    for _ in range(depth - 1):
        value = [value]
    told = orjson.loads(AnswerShape(0, {"error": {"data": {"id": "{json:/id}"}}}).text(FULL, {"json:/id": value}.get))
    assert told["error"]["data"]["id"] == (value if depth < 250 else None)


@pytest.mark.parametrize(
    ("a", "b", "place"),
    [
        ("", "evil.example", "/evil.example"),
        ("", "", "/"),
        ("x", "y", "/x/y"),
        ("/", "y", "/%2F/y"),
        ("\\", "y", "/%5C/y"),
    ],
)
def test_no_value_is_a_host(a: str, b: str, place: str) -> None:
    shape = AnswerShape(redirect="/{query:a}/{query:b}")
    assert shape.answer(FULL, b"", {"query:a": a, "query:b": b}.get).lines == b"Location: %b\r\n" % place.encode()


def test_who_repeats_lets_nobody_guess_a_type() -> None:
    sniff = b"X-Content-Type-Options: nosniff\r\n"
    assert AnswerShape(0, "{json:/a}").answer(FULL, b"", None).lines == sniff
    assert AnswerShape(0, "{id}").answer(FULL, b"", None).lines == b""
    assert AnswerShape(0, "{json:/a}", {"x-content-type-options": "nosniff"}).answer(
        FULL, b"", None
    ).lines == sniff.replace(b"X-Content-Type-Options", b"x-content-type-options")


def test_a_list_of_several_answers() -> None:
    shape = AnswerShape(200, {"id": "{json:/id}", "error": "{reason}"})
    other = AnswerShape(200, {"limited": "{json:/id}"}, reasons=("limit",))
    shapes = AnswerShapes(other, shape)
    told = shapes.answer(FULL, None, b"")
    assert told is not None
    each = [(FULL, {"json:/id": 1}.get), (LIMITED, {"json:/id": 2}.get), (FULL, None)]
    listed = shapes.answer_each(told, FULL, each, None, lambda problem: (problem, b""))
    assert listed.status == 200
    assert orjson.loads(listed.body) == [
        {"id": 1, "error": "keyword.match"}, {"limited": 2}, {"id": None, "error": "keyword.match"},
    ]  # fmt: skip
    for alone in (AnswerShape(200, "no"), AnswerShape(page=True), AnswerShape(redirect="/x")):
        one = AnswerShapes(alone)
        told = one.answer(FULL, None, b"")
        assert told is not None
        assert one.answer_each(told, FULL, each, None, lambda problem: (problem, b"")) is told
