"""The JSON Schema accepts what we ship and what we read, and refuses what editors should mark."""

from __future__ import annotations

import copy
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gateway import config
from tests.e2e.lab import write_config
from tools.reference import LINE

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "tidegate.toml"
VALIDATOR = jsonschema.Draft202012Validator(config.schema())
GOLDEN = ROOT / "tests" / "golden" / "config" / "good.txt"


def shipped() -> dict[str, str]:
    """Every configuration in the tree that is meant to be right."""
    found = {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for folder in ("examples", "gateway", "docs")
        for path in (ROOT / folder).rglob("*.toml")
    }
    text = {name: text for name, text in found.items() if "[upstreams" in text}
    return {**text, "golden": GOLDEN.read_text(encoding="utf-8").partition(LINE)[0]}


def wrong(document: Any) -> list[str]:
    return [f"{list(one.absolute_path)}: {one.message[:200]}" for one in VALIDATOR.iter_errors(document)]


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(config.schema())


@pytest.mark.parametrize("name", shipped())
def test_what_is_shipped_is_accepted(name: str) -> None:
    assert wrong(tomllib.loads(shipped()[name])) == []


def test_what_tests_run_with_is_accepted(tmp_path: Path) -> None:
    assert wrong(tomllib.loads(write_config(tmp_path, (1, 2), 3).read_text(encoding="utf-8"))) == []


def test_the_example_names_it_for_editors() -> None:
    first = EXAMPLE.read_text(encoding="utf-8").partition("\n")[0]
    kind, _, name = first.partition(" ")
    assert kind == "#:schema"
    assert (EXAMPLE.parent / name).is_file()  # that it is today's, tests/tools/test_reference.py says


@pytest.mark.parametrize(
    ("path", "value", "fits"),
    [
        (("server", "workers"), "two", False),
        (("server", "workers"), 2.5, False),
        (("server", "workers"), True, False),
        (("server", "workers"), 0, False),
        (("server", "workers"), "env:WORKERS", True),
        (("server", "node"), "file:/etc/node", True),
        (("server", "listen"), ["a:1", "b:2"], True),
        (("server", "unmatched"), "relays", False),
        (("server", "request_ids"), "true", False),
        (("server", "request_ids"), "env:IDS", True),
        (("server", "max_head"), "16KB", False),
        (("server", "max_head"), "env:HEAD", True),
        (("server", "head_timeout"), 10, False),
        (("server", "shutdown_delay"), 0, True),
        (("server", "worker"), 2, False),
        (("upstreams", "platform", "servers"), [{"url": "http://a", "weight": 3}], True),
        (("upstreams", "platform", "servers"), [{"url": "http://a", "weigth": 3}], False),
        (("control", "probes"), "0.0.0.0:8082", True),
        (("routes", 0, "sender"), ["jwt:sub", "header:X"], True),
        (("routes", 0, "sender"), "head:X", False),
    ],
)
def test_values(path: tuple[str | int, ...], value: Any, fits: bool) -> None:
    document = copy.deepcopy(tomllib.loads(EXAMPLE.read_text(encoding="utf-8")))
    node: Any = document
    for part in path[:-1]:
        node = node[part]
    node[path[-1]] = value
    assert (wrong(document) == []) == fits
