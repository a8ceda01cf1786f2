"""URL-encoded forms, strictly."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.surfaces.input.forms import Wanted, encoded, urlencoded
from gateway.surfaces.input.reasons import Refused

PLAIN = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(PLAIN, PLAIN), max_size=5))
def test_reads_what_the_standard_library_writes(pairs: list[tuple[str, str]]) -> None:
    body = urlencode(pairs).encode()
    fields = urlencoded(body)
    assert [(field.name, field.value) for field in fields] == parse_qsl(body.decode(), keep_blank_values=True)
    for field in fields:
        changed = urlencoded(body[: field.start] + encoded("你 &=+%") + body[field.end :])
        expected = ["你 &=+%" if one is field else one.value for one in fields]
        assert [one.value for one in changed] == expected


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"msg=%zz", "form.malformed"),
        (b"msg=%4", "form.malformed"),
        (b"a=1;msg=x", "form.malformed"),
        (b"msg=a\nb", "form.malformed"),
        (b"msg=\x00", "form.malformed"),
        (b"msg=%ff", "body.not_utf8"),
        (b"msg=\xff", "body.not_utf8"),
        (b"&".join([b"a=1"] * 257), "form.too_many"),
        (b"msg=a&msg=b", "form.twice"),
        (b"msg=a&m%73g=b", "form.twice"),
        (b"msg=a&MSG=b", "form.alias"),
        (b"msg=a&msg[]=b", "form.alias"),
        (b"msg=a&msg%5B0%5D=b", "form.alias"),
        (b"msg=a&+msg=b", "form.alias"),
        (b"msg=a&msg%00x=b", "form.alias"),
        (b"user_name=a&user.name=b", "form.alias"),
        (b"msg=a&_charset_=gbk", "charset.unsupported"),
    ],
)
def test_refused(body: bytes, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        Wanted(["msg", "user_name"]).select(urlencoded(body))
    assert refused.value.reason == reason


def test_fields_that_nobody_reads_may_repeat() -> None:
    form = Wanted(["msg"]).select(urlencoded("tag=1&tag=2&msg=hello+world&_charset_=UTF-8&raw=你好".encode()))
    assert {name: field.value for name, field in form.fields.items()} == {"msg": "hello world"}


ALIASES = [
    "[content]",
    "content]",
    "[content",
    "content[]",
    "content[0]",
    "content[a][b]",
    "content ",
    " content",
    "content\t",
    "\u3000content",
    "content\u200b",
    "\ufeffcontent",
    "content\x00x",
    "con\x00tent",
    "Content",
    "CONTENT",
    "content.",
    ".content",
    "content.x",
    "content[x",
    "content%20",
    "%63ontent",
    "content%00",
    "%2563ontent",
    "content+",
    "?content",
    "!content",
    "content:string",
    "[[content]]",
    "][content",
    "content[ ]",
    "\uff43ontent",
    "content\r\n",
    "&content",
]


@pytest.mark.parametrize("alias", ALIASES)
@pytest.mark.parametrize("present", [True, False])
def test_names_that_some_reader_takes_for_a_judged_one(alias: str, present: bool) -> None:
    pairs = [(alias, "bad"), *([("content", "hello")] if present else [])]
    for body in (urlencode(pairs), urlencode(pairs[::-1])):
        try:
            Wanted(["content"]).select(urlencoded(body.encode()))
        except Refused as refused:
            assert refused.reason in {"form.alias", "form.name"}
        else:
            pytest.fail("taken")


@pytest.mark.parametrize(
    "name", ['"content"', "'content'", "x'; name=content", "x;content", "=?utf-8?Q?content?=", "a\\b"]
)
def test_names_that_readers_end_or_decode_in_different_ways(name: str) -> None:
    with pytest.raises(Refused, match=r"form\.name"):
        Wanted(["content"]).select(urlencoded(urlencode([(name, "bad"), ("content", "x")]).encode()))


FREE = [
    "contents",
    "my_content",
    "content_type",
    "a[content]",
    "photo[0]",
    "tags[]",
    "a.content",
    "con-tent",
    "标签",
    "x:content",
]


@pytest.mark.parametrize("name", FREE)
def test_names_that_nobody_takes_for_it(name: str) -> None:
    form = Wanted(["content"]).select(urlencoded(urlencode([(name, "x"), ("content", "y")]).encode()))
    assert form.fields["content"].value == "y"


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("comment[title]", True), ("comment[body_html]", True), ("body", True), ("comment[body]", False),
        ("comment", False), ("comment[body][]", False), ("comment[][body]", False), ("comment.body", False),
        ("comment[Body]", False), ("comment[ body]", False), ("[comment][body]", False), ("comment[body", False),
    ],
)  # fmt: skip
def test_a_judged_name_with_brackets(name: str, taken: bool) -> None:
    wanted = Wanted(["comment[body]"])
    body = urlencode([("comment[body]", "x"), (name, "y")]).encode()
    if taken:
        assert wanted.select(urlencoded(body)).fields["comment[body]"].value == "x"
    else:
        with pytest.raises(Refused, match=r"form\.(alias|twice)"):
            wanted.select(urlencoded(body))


@pytest.mark.parametrize("names", [["msg", "Msg"], ["user", "user[id]"], ["user.name", "user_name"], ['"a"']])
def test_names_that_no_configuration_reads_together(names: list[str]) -> None:
    with pytest.raises(ValueError, match=r"is for some|holds quotes"):
        Wanted(names)


def test_a_text_of_another_kind_of_body() -> None:
    wanted = Wanted(["msg"], ["content"])
    assert wanted.select(urlencoded(b"msg=x&other=y")).fields.keys() == {"msg"}
    for body in (b"msg=x&content=bad", b"msg=x&content[]=bad"):
        with pytest.raises(Refused, match=r"text\.elsewhere"):
            wanted.select(urlencoded(body))
