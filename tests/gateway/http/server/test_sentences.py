"""What people are told, in the language that they read: on answers of a server, and by itself."""

from typing import Any

import orjson
import pytest

from gateway.http.server.exchange import Exchange
from gateway.http.server.problem import Problem
from gateway.http.server.sentences import SILENT, Sentences
from gateway.http.server.shapes import AnswerShape, AnswerShapes
from tests.gateway.http.server.requests import post

WORDS = {
    "en": {"keyword.match": ("The text breaks the rules", "Reword it."), "head.host": ("The Host is wrong", "")},
    "zh": {"keyword.match": ("文字内容不符合规定", "请修改后再发。"), "head.host": ("Host 字段有误", "")},
}
TERMS = {"en": {}, "zh": {"agreement 3.1": "用户协议第 3.1 条", "spam": "垃圾广告"}}
REFUSED = Problem(403, "keyword.match", "x", "y", "m1", "agreement 3.1", "spam")


def told(bench: Any, *fields: bytes, spoken: str = "", shapes: AnswerShapes | None = None) -> tuple[bytes, Any]:
    def judge(exchange: Exchange, body: bytes) -> None:
        exchange.shapes = shapes
        exchange.refuse(REFUSED)

    bench.gate.judge = judge
    bench.gate.spoken = spoken
    client = bench.connect()
    client.send(post(b"a", lines=b"".join(line + b"\r\n" for line in fields)))
    head, _, body = client.take().partition(b"\r\n\r\n")
    return head, orjson.loads(body)


@pytest.mark.parametrize(
    ("accept", "title", "language"),
    [
        (b"zh-CN,zh;q=0.9", "文字内容不符合规定", b"zh-CN"),
        (b"en, zh;q=0.5", "The text breaks the rules", b"en"),
        (b"fr", "The text breaks the rules", b"en"),
    ],
)
async def test_a_refusal_is_told_in_the_language_that_is_asked_for(
    bench: Any, accept: bytes, title: str, language: bytes
) -> None:
    bench.server.sentences = Sentences(WORDS, TERMS)
    head, body = told(bench, b"Accept-Language: " + accept)
    assert body["title"] == title
    assert b"\r\nContent-Language: " + language in head
    assert b"\r\nVary: Accept-Language" in head


async def test_ground_and_category_are_told_in_it_as_well(bench: Any) -> None:
    bench.server.sentences = Sentences(WORDS, TERMS)
    _, body = told(bench, b"Accept-Language: zh")
    assert (body["ground"], body["category"]) == ("用户协议第 3.1 条", "垃圾广告")
    _, body = told(bench)
    assert (body["ground"], body["category"]) == ("agreement 3.1", "spam")


async def test_a_route_may_say_which_and_then_nothing_varies(bench: Any) -> None:
    bench.server.sentences = Sentences(WORDS, TERMS)
    head, body = told(bench, b"Accept-Language: en", spoken="zh")
    assert body["detail"] == "请修改后再发。"
    assert b"Content-Language: zh-CN" in head
    assert b"Vary" not in head


async def test_who_says_nothing_is_told_as_the_configuration_says(bench: Any) -> None:
    bench.server.sentences = Sentences(WORDS, TERMS, otherwise="zh")
    assert told(bench)[1]["title"] == "文字内容不符合规定"
    bench.server.sentences = Sentences(WORDS, TERMS, language="zh")
    assert told(bench, b"Accept-Language: en")[1]["title"] == "文字内容不符合规定"
    assert told(bench, b"Accept-Language: en", spoken="auto")[1]["title"] == "The text breaks the rules"


async def test_a_platforms_shape_speaks_the_same_language(bench: Any) -> None:
    bench.server.sentences = Sentences(WORDS, TERMS)
    shapes = AnswerShapes(AnswerShape(200, {"msg": "{title}", "why": "{reason}"}))
    head, body = told(bench, b"Accept-Language: zh", shapes=shapes)
    assert body == {"msg": "文字内容不符合规定", "why": "keyword.match"}
    assert b"Content-Language: zh-CN" in head


@pytest.mark.parametrize(
    "shapes",
    [
        AnswerShapes(AnswerShape(200, {"code": 12001, "id": "{id}"})),
        AnswerShapes(AnswerShape(200, {"msg": "{title}"}, {"content-language": "zh"})),
    ],
    ids=["without a sentence", "with a language of its own"],
)
async def test_of_a_shape_no_language_is_said_where_it_holds_none(bench: Any, shapes: AnswerShapes) -> None:
    bench.server.sentences = Sentences(WORDS, TERMS)
    head, _ = told(bench, b"Accept-Language: zh", shapes=shapes)
    assert b"Content-Language: zh-CN" not in head
    assert b"Vary" not in head


async def test_a_head_that_is_none_is_told_in_the_language_for_those_who_say_nothing(bench: Any) -> None:
    bench.server.sentences = Sentences(WORDS, TERMS, otherwise="zh")
    client = bench.connect()
    client.send(b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n")
    answer = client.take()
    assert "Host 字段有误".encode() in answer
    assert b"Content-Language: zh-CN" in answer


def test_without_words_nothing_changes() -> None:
    assert SILENT.worded(REFUSED, SILENT.chosen("zh", b"zh").language) is REFUSED
    assert SILENT.chosen("zh", None).lines == b""


def test_what_nobody_has_words_for_stays() -> None:
    other = Problem(400, "x.y", "Title", "Detail.")
    assert Sentences(WORDS, TERMS).worded(other, "zh") == other


def test_a_row_of_its_own_goes_before_the_reasons() -> None:
    words = {"en": {"a.b": ("One", ""), "c.d": ("Two", "")}}
    sentences = Sentences(words, {"en": {}})
    assert sentences.worded(Problem(200, "a.b", "x", words="c.d"), "en").title == "Two"


@pytest.mark.parametrize(
    ("fields", "title", "language"),
    [
        (b"Accept-Language: zh-CN\r\n", "Host 字段有误", b"zh-CN"),
        (b"accept-language:zh\r\n", "Host 字段有误", b"zh-CN"),
        (b"X: 1\r\nAccept-Language: en\r\n", "The Host is wrong", b"en"),
        (b"X-Accept-Language: zh\r\n", "The Host is wrong", b"en"),
        (b"", "The Host is wrong", b"en"),
    ],
)
async def test_what_is_no_request_is_refused_in_its_senders_language_too(
    bench: Any, fields: bytes, title: str, language: bytes
) -> None:
    bench.server.sentences = Sentences(WORDS, TERMS)
    client = bench.connect()
    client.send(b"GET / HTTP/1.1\r\nHost: a b\r\n" + fields + b"\r\n")
    head, _, body = client.take().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert orjson.loads(body)["title"] == title
    assert b"\r\nContent-Language: " + language in head
