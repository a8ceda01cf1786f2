"""Names as other readers take them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.surfaces.input.field_names import Names, odd, paths


@pytest.mark.parametrize("name", ['a"b', "a'b", "a;b", "a\\b", "a\tb", "=?utf-8?q?a?=", "a\x85b", "a&b", "a=b"])
def test_odd(name: str) -> None:
    assert odd(name)
    assert not odd("comment[body].text-1")


WRAPS = st.sampled_from(
    ["{}[]", "[{}]", "{}]", " {}", "{} ", "{}.", "{}[0]", "{}[x]", "{}\t", "!{}", "?{}", "{}\u200b"]
)


@settings(max_examples=200, deadline=None)
@given(st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True), st.lists(WRAPS, min_size=1, max_size=3))
def test_no_wrapping_hides_a_name(name: str, wraps: list[str]) -> None:
    alias = name
    for wrap in wraps:
        alias = wrap.format(alias)
    assert Names([name]).means(alias)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=20))
def test_any_name_is_compared_and_means_itself(name: str) -> None:
    assert Names([name]).means(name)
    assert paths(name)


def test_a_name_of_many_steps_is_one_name() -> None:
    """Each of its beginnings is not looked at: that would take minutes."""
    assert not Names(["content", "user[id]"]).means("a[b]." * 100_000)
    assert Names(["content", "user[id]"]).means("user[id]" + "[b]." * 100_000)
