"""The tables of surfaces and formats are the only places that know their names."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import get_args

import pytest

from gateway import config
from gateway.config.reference import reference
from gateway.config.values.surface import FormatName, SurfaceName
from gateway.surfaces import MIRRORED, SURFACES
from gateway.surfaces.bodies import bodies
from gateway.surfaces.formats import FORMATS
from gateway.surfaces.input.settings import SurfaceSettings

GATEWAY = Path(__file__).parents[3] / "gateway"


def compared(tree: ast.AST) -> Iterator[str]:
    """Names that a surface or a format is compared with, and those by which a table of one's own is looked up."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = (node.left, *node.comparators)
            if not any("surface" in ast.unparse(side) or "format" in ast.unparse(side) for side in sides):
                continue
            inside = [found for side in sides for found in ast.walk(side)]
            yield from texts(inside) & (set(SURFACES) | set(FORMATS))
        elif isinstance(node, ast.Dict):
            keys = texts([key for key in node.keys if key is not None])
            for table in (SURFACES, FORMATS):
                known = keys & set(table)
                if len(known) > 1 and known != {"json", "text"}:  # kinds of a body and of a source, too
                    yield from known


def texts(nodes: Iterable[ast.AST]) -> set[str]:
    return {one.value for one in nodes if isinstance(one, ast.Constant) and isinstance(one.value, str)}


def test_nobody_compares_the_name_of_a_surface_or_a_format() -> None:
    """Whoever treats them differently asks ``Traits`` or ``Entry``; the demo is a platform, with words of its own."""
    found = {
        str(path.relative_to(GATEWAY)): names
        for path in GATEWAY.rglob("*.py")
        if path.parts[len(GATEWAY.parts)] not in {"demo"}
        and path.name != "__init__.py"
        and (names := set(compared(ast.parse(path.read_text(encoding="utf-8")))))
    }
    assert found == {}


def test_the_configuration_takes_its_words_from_the_tables() -> None:
    assert get_args(SurfaceName) == tuple(SURFACES)
    assert get_args(FormatName) == tuple(FORMATS)
    route = config.schema()["$defs"]["Route"]["properties"]
    assert route["surface"]["anyOf"][0]["enum"] == list(SURFACES)
    assert route["format"]["anyOf"][0]["enum"] == list(FORMATS)
    for name, entry in FORMATS.items():
        assert not entry.meaning or f"{name}: {entry.meaning}." in reference()


@pytest.mark.parametrize("name", sorted(SURFACES))
def test_what_has_a_static_version_keeps_its_text_and_is_never_edited(name: str) -> None:
    """The static version is rendered from the recorded text, and an edit does not name what it replaces (law 6)."""
    traits = SURFACES[name]
    assert traits.mirrored is (name in MIRRORED)
    assert not traits.mirrored or (traits.content == "always" and not traits.edits)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_payload_is_read_by_a_body_of_its_kind(name: str) -> None:
    source = {"json": "json:/content", "text": "body:text"}[FORMATS[name].payload]
    settings = SurfaceSettings("r", "comment", ("header:X",), (source,))
    assert FORMATS[name].payload in bodies.compiled(settings)
