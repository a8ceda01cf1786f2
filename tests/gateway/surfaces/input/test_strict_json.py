"""The quick path gives the answers of the careful one, and both those of a slow reader written from the RFC."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.surfaces.input import strict_json
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.input.strict_json import parse


class Bad(Exception):
    pass


class Reference:
    """RFC 8259 by recursive descent, over characters, with this project's refusals. Slow and plain."""

    def __init__(self, body: bytes, max_depth: int) -> None:
        try:
            self.text = body.decode()
        except UnicodeDecodeError:
            raise Bad from None
        self.at = 0
        self.max_depth = max_depth

    def document(self) -> Any:
        value = self.value(0)
        self.space()
        if self.at != len(self.text):
            raise Bad
        return value

    def space(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t\r\n":
            self.at += 1

    def take(self, wanted: str) -> bool:
        if self.text.startswith(wanted, self.at):
            self.at += len(wanted)
            return True
        return False

    def value(self, depth: int) -> Any:
        self.space()
        if self.take("{"):
            return self.members(depth + 1)
        if self.take("["):
            return self.elements(depth + 1)
        if self.take('"'):
            return self.string()
        for word, value in (("true", True), ("false", False), ("null", None)):
            if self.take(word):
                return value
        return self.number()

    def members(self, depth: int) -> dict[str, Any]:
        if depth > self.max_depth:
            raise Bad
        found: dict[str, Any] = {}
        self.space()
        if self.take("}"):
            return found
        while True:
            self.space()
            if not self.take('"'):
                raise Bad
            key = self.string()
            if any(key.casefold() == other.casefold() for other in found):
                raise Bad
            self.space()
            if not self.take(":"):
                raise Bad
            found[key] = self.value(depth)
            self.space()
            if self.take("}"):
                return found
            if not self.take(","):
                raise Bad

    def elements(self, depth: int) -> list[Any]:
        if depth > self.max_depth:
            raise Bad
        found: list[Any] = []
        self.space()
        if self.take("]"):
            return found
        while True:
            found.append(self.value(depth))
            self.space()
            if self.take("]"):
                return found
            if not self.take(","):
                raise Bad

    def string(self) -> str:
        units: list[int] = []  # UTF-16, so that pairs join as section 7 says
        while True:
            if self.at >= len(self.text):
                raise Bad
            letter = self.text[self.at]
            self.at += 1
            if letter == '"':
                break
            if letter < " ":
                raise Bad
            if letter != "\\":
                raw = letter.encode("utf-16-be")
                units += [int.from_bytes(raw[i : i + 2], "big") for i in range(0, len(raw), 2)]
                continue
            kind = self.text[self.at : self.at + 1]
            self.at += 1
            if kind == "u":
                digits = self.text[self.at : self.at + 4]
                if re.fullmatch("[0-9a-fA-F]{4}", digits, re.ASCII) is None:
                    raise Bad
                units.append(int(digits, 16))
                self.at += 4
            elif kind and kind in '"\\/bfnrt':
                units.append(ord({"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}.get(kind, kind)))
            else:
                raise Bad
        try:
            text = b"".join(unit.to_bytes(2, "big") for unit in units).decode("utf-16-be")
        except UnicodeDecodeError:
            raise Bad from None
        if "\x00" in text:
            raise Bad
        return text

    def number(self) -> int | float:
        match = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII).match(self.text, self.at)
        if match is None:
            raise Bad
        self.at = match.end()
        if match[1] is None and match[2] is None:
            whole = int(match[0])
            if not -(2**63) <= whole < 2**64:
                raise Bad
            return whole
        real = float(match[0])
        if math.isinf(real):
            raise Bad
        return real


def answer(body: bytes, max_depth: int = 32) -> Any:
    try:
        return repr(parse(body, max_depth))
    except Refused:
        return "refused"


def expected(body: bytes, max_depth: int = 32) -> Any:
    try:
        return repr(Reference(body, max_depth).document())
    except Bad:
        return "refused"


KEYS = st.sampled_from(
    ["a", "A", "b", "ab", "aB", "", ":", "k", "\u212a", "ß", "ss", "\x00", 'q"', "\\", "é", "{", "a:"]
)
STRINGS = st.one_of(
    st.text(max_size=6), st.sampled_from(["x:y", "\\u0000", "\x00", '"', "http://x", ":", "\\", "{}[]", "😀"])
)
SCALARS = st.one_of(
    STRINGS.map(lambda s: ("s", s)),
    st.sampled_from(
        [
            "0",
            "-0",
            "1",
            "1.0",
            "1e2",
            "1e400",
            "-1e400",
            "18446744073709551615",
            "18446744073709551616",
            "-9223372036854775808",
            "-9223372036854775809",
            "01",
            "1.",
            "true",
            "false",
            "null",
            "NaN",
            "Infinity",
            "123456789012345678901234567890",
        ]
    ).map(lambda token: ("t", token)),
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: ("l", items)),
        st.lists(st.tuples(KEYS, inner), max_size=4).map(lambda items: ("o", items)),
    ),
    max_leaves=8,
)


def written(tree: Any, draw: Any) -> str:
    """One of the many ways to write a tree, duplicates and all."""
    kind, value = tree
    space = draw(st.sampled_from(["", " ", "\n"]))
    if kind == "t":
        return space + str(value)
    if kind == "s":
        return space + quoted(value, draw)
    if kind == "l":
        return space + "[" + ",".join(written(item, draw) for item in value) + space + "]"
    return space + "{" + ",".join(quoted(k, draw) + space + ":" + written(v, draw) for k, v in value) + "}" + space


def quoted(text: str, draw: Any) -> str:
    if draw(st.booleans()):
        return json.dumps(text, ensure_ascii=draw(st.booleans()))
    return '"' + "".join(f"\\u{ord(c):04x}" if ord(c) < 0x10000 else c for c in text) + '"'


@st.composite
def bodies(draw: Any) -> bytes:
    body = written(draw(TREES), draw).encode(errors="surrogatepass")
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(body)))
        body = body[:at] + draw(st.binary(max_size=2)) + body[at + draw(st.integers(0, 2)) :]
    return body


@settings(max_examples=600, deadline=None)
@given(bodies())
@example(b'{"a":"1","a":"\\u003a"}')
@example(b'{"a":"x:y","a":"z"}')
@example(b'{"a":{"b":1},"a":"::"}')
@example(b'{"a":":","a":"b"}')
@example(b'{"a":"b","a":":"}')
@example(b'{"\\u0061":1,"a":2}')
@example(b'{"a":[[[[]]]]}')
@example(b'{"k":1,"\xe2\x84\xaa":2}')
def test_agrees_with_the_reference(body: bytes) -> None:
    assert answer(body) == expected(body)


@settings(max_examples=150, deadline=None)
@given(bodies(), st.integers(0, 4))
def test_depth_agrees_with_the_reference(body: bytes, max_depth: int) -> None:
    assert answer(body, max_depth) == expected(body, max_depth)


@settings(max_examples=150, deadline=None)
@given(bodies())
def test_the_quick_path_answers_as_the_careful_one(body: bytes) -> None:
    try:
        quick = parse(body)
    except Refused:
        return
    assert repr(strict_json._careful(body, 32, parsed=True)) == repr(quick)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "body.not_json"),
        (b"{", "body.not_json"),
        (b"{'a': 1}", "body.not_json"),
        (b'{"a": 1,}', "body.not_json"),
        (b'{"a": NaN}', "body.not_json"),
        (b'{"a": -Infinity}', "body.not_json"),
        (b'{"a": "\x01"}', "body.not_json"),
        (b'{"a": 1} x', "body.not_json"),
        (b'{"a": 1, "a": 1}', "body.duplicate_key"),
        (b'{"x": {"a": 1, "\\u0061": 1}}', "body.duplicate_key"),
        (b'{"a": 1, "A": 1}', "body.key_case"),
        (b'{"K": 1, "\xe2\x84\xaa": 1}', "body.key_case"),
        (b"\xef\xbb\xbf{}", "body.bom"),
        ('{"a": 1}'.encode("utf-16"), "body.not_utf8"),
        ('{"a": 1}'.encode("utf-16-be"), "body.not_utf8"),
        ('{"a": 1}'.encode("utf-32-le"), "body.not_utf8"),
        (b'{"a": "\xff"}', "body.not_utf8"),
        (b'{"a": "\xed\xa0\x80"}', "body.not_utf8"),
        (b'{"a": "\\ud800"}', "body.surrogate"),
        (b'{"a": "\\udc00\\ud800"}', "body.surrogate"),
        (b'{"a": "\\u0000"}', "body.nul"),
        (b'{"\\u0000": ""}', "body.nul"),
        (b'{"a": 18446744073709551616}', "body.number"),
        (b'{"a": [-9223372036854775809]}', "body.number"),
        (b'{"a": -9223372036854775809, "b": 1.5}', "body.number"),
        (b'{"a": 1e400}', "body.number"),
        (b'{"a": ' + b"9" * 5000 + b"}", "body.number"),
        (b"[" * 33 + b"]" * 33, "body.too_deep"),
        (b"[" * 100_000 + b"]" * 100_000, "body.too_deep"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "body.too_deep"),
        (b"[" * 100_000, "body.too_deep"),
    ],
)
def test_each_refusal_has_its_reason(body: bytes, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(body)
    assert refused.value.reason == reason


def test_what_looks_like_a_nul_and_is_none() -> None:
    assert parse(b'{"a": "\\\\u0000"}') == {"a": "\\u0000"}


def test_brackets_in_a_text_are_no_depth() -> None:
    assert parse(b'{"a": "' + b"[" * 100 + b'"}') == {"a": "[" * 100}
    assert parse(b'{"a": ["' + b"[" * 100 + b'"]}') == {"a": ["[" * 100]}


@pytest.mark.parametrize(
    "body",
    [
        b'{"content": "hello"}',
        '{"content": "看 http://x:80", "type": "c", "n": 1, "ok": true, "to": null}'.encode(),
        json.dumps({"content": "你好"}).encode(),
    ],
)
def test_common_bodies_take_the_quick_path(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strict_json, "_careful", None)
    assert parse(body) == json.loads(body)
