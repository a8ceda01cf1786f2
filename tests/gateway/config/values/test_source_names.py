from typing import Any

import pytest

from gateway.config.values import source_names


@pytest.mark.parametrize(
    "text",
    ["header:X-User-Id", "json:/a/b~1c", "jwt:sub", "form:msg", "cookie:user", "query:u", "path:room", "text:"],
)
def test_sources_stay_as_written(text: str) -> None:
    assert source_names.source(text) == text
    assert source_names.optional_source(text) == text


@pytest.mark.parametrize(
    "value",
    [
        "",
        "X-User-Id",
        "head:X",
        "header:",
        "header:a b",
        "json:content",
        "json:/a~2",
        "json:/a/*/b",
        "json:/*",
        "path:a-b",
        "jwt:",
        "text:x",
        3,
        None,
    ],
)
def test_anything_else_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="write"):
        source_names.source(value)


def test_none_where_none_is_needed() -> None:
    assert source_names.optional_source("") == ""


@pytest.mark.parametrize("value", ["", "a", "/a~", "/~2", 7])
def test_broken_pointers(value: Any) -> None:
    with pytest.raises(ValueError, match="JSON Pointer"):
        source_names.pointer(value)


def test_every_source_is_one_the_surfaces_can_compile() -> None:
    from gateway.surfaces.sources.sources import KINDS

    # text: and filename: are no sources of facts, only of judged text
    assert set(source_names.KINDS) - {"text", "filename"} == set(KINDS)
