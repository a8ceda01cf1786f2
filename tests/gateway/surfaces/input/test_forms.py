"""URL-encoded forms, strictly."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.surfaces.input.forms import Wanted, canonical, encoded, urlencoded
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


def test_the_same_field_in_the_query_is_refused() -> None:
    wanted = Wanted(["msg"])
    wanted.check_query(b"page=2&page=3")
    for query in (b"msg=x", b"MSG=x", b"a=1&msg[]=x"):
        with pytest.raises(Refused, match=r"form\.twice"):
            wanted.check_query(query)


@pytest.mark.parametrize("name", ["", "[", "[]", "[x]"])
def test_a_name_of_nothing_but_brackets_stays(name: str) -> None:
    assert canonical(name) == name
