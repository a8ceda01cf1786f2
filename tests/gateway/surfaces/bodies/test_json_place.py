"""Replacing one string leaves every other byte as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.surfaces.bodies.json_place import place, replaced
from gateway.surfaces.input.pointer import step

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=5)
TREES = st.recursive(
    TEXTS | st.integers(-(2**63), 2**64 - 1) | st.none() | st.booleans() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)


def strings(tree: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if isinstance(tree, str):
        return [path]
    if isinstance(tree, dict):
        return [found for key, inner in tree.items() for found in strings(inner, (*path, key))]
    if isinstance(tree, list):
        return [found for index, inner in enumerate(tree) for found in strings(inner, (*path, str(index)))]
    return []


@settings(max_examples=200, deadline=None)
@given(TREES, st.data())
def test_only_the_named_strings_change(tree: Any, data: st.DataObject) -> None:
    paths = strings(tree)
    chosen = data.draw(st.lists(st.sampled_from(paths), unique=True) if paths else st.just([]))
    body = json.dumps(
        tree, ensure_ascii=data.draw(st.booleans()), indent=data.draw(st.sampled_from([None, 1]))
    ).encode()
    after = json.loads(replaced(body, [(path, f"new {path}") for path in chosen]))
    assert sorted(strings(after)) == sorted(paths)
    for path in paths:
        old, new = tree, after
        for token in path:
            old, new = step(old, token), step(new, token)
        assert new == (f"new {path}" if path in chosen else old)
    back = [(path, _at(tree, path)) for path in chosen]
    assert json.loads(replaced(json.dumps(after).encode(), back)) == tree


def _at(tree: Any, path: tuple[str, ...]) -> Any:
    for token in path:
        tree = step(tree, token)
    return tree


def test_numbers_keep_their_spelling() -> None:
    body = b'{ "a" : 1.0, "b":1e2 , "t" : "x\\"]}", "c":[18446744073709551615,-0] }\n'
    assert replaced(body, [(("t",), "***")]) == b'{ "a" : 1.0, "b":1e2 , "t" : "***", "c":[18446744073709551615,-0] }\n'


def test_an_escaped_key_is_found() -> None:
    assert place(b'{"\\u0061":"x"}', ("a",)) == (10, 13)


@pytest.mark.parametrize(
    ("body", "path"), [(b"{}", ("a",)), (b"[1]", ("0",)), (b'["a"]', ("1",)), (b"1", ("a",)), (b'["a"]', ("-",))]
)
def test_no_string_there(body: bytes, path: tuple[str, ...]) -> None:
    with pytest.raises(LookupError):
        place(body, path)
