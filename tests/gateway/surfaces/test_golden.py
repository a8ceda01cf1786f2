"""Golden pairs: requests as they come, and what a route that reads JSON, forms and plain text makes of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gateway.surfaces.input.decoded import Malformed
from gateway.surfaces.surface import Surface

FOLDER = Path(__file__).parents[2] / "golden" / "surfaces"
SHOWN = ("sender", "texts", "parts")


class Case(NamedTuple):
    name: str
    headers: list[tuple[str, str]]
    body: bytes
    expected: str
    masked: bytes | None


def cases() -> Iterator[Any]:
    for path in sorted(FOLDER.glob("*.txt")):
        for block in path.read_text(encoding="utf-8").split("\n=== ")[1:]:
            name, _, rest = block.rstrip("\n").partition("\n")
            came, expected, *masked = rest.split("\n---\n")
            head, _, body = came.partition("\n\n")
            headers = [(key, value) for key, _, value in (line.partition(": ") for line in head.split("\n"))]
            ends = "\r\n" if "multipart" in head else "\n"
            case = Case(name, headers, written(body, ends), expected, written(masked[0], ends) if masked else None)
            yield pytest.param(case, id=f"{path.stem}: {name}")


def written(text: str, ends: str) -> bytes:
    return text.replace("\n", ends).encode()


@pytest.fixture
def surface(make_surface: Callable[..., Surface]) -> Surface:
    return make_surface(text=("json:/content", "form:msg", "body:text"))


@pytest.mark.parametrize("case", list(cases()))
def test_golden(case: Case, surface: Surface, make_request: Callable[..., Any]) -> None:
    decoded = surface.decode(make_request(case.headers), case.body)
    if isinstance(decoded, Malformed):
        assert f"{decoded.status} {decoded.reason}" == case.expected
        return
    message = decoded.messages[0]._asdict()  # type: ignore[union-attr]
    shown = {key: message[key] for key in SHOWN if message[key]}
    assert json.loads(json.dumps(shown)) == json.loads(case.expected)
    masked = tuple("*" * len(text) for text in message["texts"])
    assert decoded.encode(decoded.body, {0: masked}) == case.masked  # type: ignore[union-attr]
    assert decoded.encode(decoded.body, {}) == case.body  # type: ignore[union-attr]


def test_there_are_cases() -> None:
    assert len(list(cases())) >= 16
