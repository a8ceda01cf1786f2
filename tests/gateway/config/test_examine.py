"""Whatever stands in a file, the answer is a configuration or a list of problems, never a crash, never a secret."""

import copy
import tomllib
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import config

EXAMPLE = Path(__file__).parents[3] / "examples" / "tidegate.toml"
DOCUMENT = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
CONTEXT = {"base": EXAMPLE.parent, "environ": {}}

Place = tuple[str | int, ...]


def places(value: Any, path: Place = ()) -> list[Place]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))]


PLACES = [place for place in places(DOCUMENT) if place]
SCALARS = st.one_of(st.text(max_size=8), st.integers(), st.floats(), st.booleans(), st.dates())
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=1, max_size=4))
def test_any_value_anywhere(changes: list[tuple[Place, Any]]) -> None:
    document = copy.deepcopy(DOCUMENT)
    for place, value in changes:
        node: Any = document
        try:
            for part in place[:-1]:
                node = node[part]
            node[place[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    told, problems = config.examine(document, "f.toml", CONTEXT)
    assert (told is None) <= bool(problems)
    for problem in problems:
        assert problem.message
        assert "\n" not in str(problem)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(PLACES))
def test_any_key_left_out(place: Place) -> None:
    document = copy.deepcopy(DOCUMENT)
    node: Any = document
    for part in place[:-1]:
        node = node[part]
    del node[place[-1]]
    told, problems = config.examine(document, "f.toml", CONTEXT)
    assert (told is None) <= bool(problems)


def test_the_document_as_it_is() -> None:
    told, problems = config.examine(copy.deepcopy(DOCUMENT), "f.toml", CONTEXT)
    assert told is not None
    assert problems == []
