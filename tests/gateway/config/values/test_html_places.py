"""Where escaping a value is enough, and where it is not."""

from __future__ import annotations

import re

import pytest

from gateway.config.values.html_places import unsafe

VALUE = re.compile(r"\{\w:\w\}")


@pytest.mark.parametrize(
    "text",
    [
        "", "{a:b}", "<p>{a:b}</p>", '<input value="{a:b}">', "<p title='{a:b}' class=\"{a:b}\">{a:b}",
        "<textarea>{a:b}</textarea>", "<title>{a:b}</title>", '<script>f("{title}")</script><b>{a:b}</b>',
        '<a href="{appeal}">{a:b}</a>', "1 < 2 {a:b}",
    ],
)  # fmt: skip
def test_where_a_value_stays_a_value(text: str) -> None:
    assert unsafe(text, VALUE) == ""


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("<input value={a:b}>", "without quotes in <input>"),
        ('<p title="a>b" id={a:b}>', "without quotes in <p>"),
        ('<p {a:b}="c">', "without quotes in <p>"),
        ("<{a:b}>", "without quotes in <…>"),
        ("<a href='{a:b}'>c</a>", "in href of <a>"),
        ('<A HREF="/c?{a:b}">c</a>', "in href of <a>"),
        ('<p onclick="f({a:b})">', "in onclick of <p>"),
        ('<p style="color: {a:b}">', "in style of <p>"),
        ('<iframe srcdoc="{a:b}">', "in srcdoc of <iframe>"),
        ('<meta http-equiv="refresh" content="0; {a:b}">', "in content of <meta>"),
        ("<script>f('{a:b}')</script>", "in <script>"),
        ("<style>p { color: {a:b} }</style>", "in <style>"),
        ("<!-- {a:b} -->", "in a place that is no text"),
        ("<!doctype {a:b}>", "in a place that is no text"),
        ("<script>f('{a:b}')", "in "),
    ],
)
def test_where_it_does_not(text: str, where: str) -> None:
    assert where in unsafe(text, VALUE)
