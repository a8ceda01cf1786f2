"""Where keys stand in a file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.consistency.lines import line_of, lines

EXAMPLE = (Path(__file__).parents[4] / "examples" / "tidegate.toml").read_text(encoding="utf-8")

ODD = """\
# [not] = a table
title = "a = [b] # no comment"   # one
"quoted key" = 'its'
'literal.key' = 1
a.b.c = 1
a . "d" = [ 1,  # comment with ]
  2, [3,
  4], ]
text = \"\"\"
x = 1
[nobody]
\\"\"\" quoted\"\"\"\"
raw = '''
y = 2 ''
'''
when = 2026-11-29T07:00:00Z
inline = { x = 1, y = { z = [ { q = 1 } ] } }

[ table . "with space" ]
k = true
[[several]]
n = 1
[several.below]
m = 1
[[several]]
n = 2
[[several.inner]]
o = 3
[[several.inner]]
o = 4
"""


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in paths(one, (*path, key)))]


@pytest.mark.parametrize("text", [EXAMPLE, ODD])
def test_every_key_has_the_line_that_it_stands_on(text: str) -> None:
    found = lines(text)
    rows = text.split("\n")
    for path in paths(tomllib.loads(text)):
        if path:
            assert path in found, path
            if isinstance(path[-1], str):
                assert path[-1] in rows[found[path] - 1], path


def test_odd_ones() -> None:
    found = lines(ODD)
    told = {
        ("title",): 2, ("quoted key",): 3, ("a", "b", "c"): 5, ("a", "d", 1): 7, ("a", "d", 2, 1): 8, ("text",): 9,
        ("raw",): 13, ("inline", "y", "z", 0, "q"): 17, ("table", "with space", "k"): 20, ("several", 0): 21,
        ("several", 0, "below", "m"): 24, ("several", 1, "n"): 26, ("several", 1, "inner", 1, "o"): 30,
    }  # fmt: skip
    assert {path: found.get(path) for path in told} == told
    assert line_of(("several", 1, "missing", "key"), found) == 25
    assert line_of(("nowhere",), found) == 0
    assert line_of((), found) == 0


@given(st.text(max_size=80))
def test_what_is_no_toml_is_no_fault(text: str) -> None:
    assert all(line >= 1 for line in lines(text).values())


WORDS = st.text("ab\"'\\ #=[]{}\n,.é", max_size=6)


@given(
    st.dictionaries(
        WORDS, st.recursive(WORDS | st.integers(), lambda inner: st.lists(inner, max_size=3), max_leaves=4), max_size=4
    )
)
def test_whatever_strings_hold(document: dict[str, Any]) -> None:
    def written(value: Any) -> str:
        if isinstance(value, str):
            quoted = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            return f'"{quoted}"'
        return f"[{', '.join(map(written, value))}]" if isinstance(value, list) else str(value)

    text = "".join(f"{written(key)} = {written(value)} # {key!r}\n" for key, value in document.items())
    assert tomllib.loads(text) == document
    found = lines(text)
    assert [found[key,] for key in document] == list(range(1, len(document) + 1))
