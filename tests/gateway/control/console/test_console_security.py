"""docs/console-security.md names tests, and each of them exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[4]
PAGE = ROOT / "docs" / "console-security.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_each_test_that_is_named_exists() -> None:
    named = NAMED.findall(PAGE.read_text(encoding="utf-8"))
    assert len(named) > 30
    for path, name in named:
        assert name in functions(ROOT / path), f"{path}::{name}"


def test_each_item_has_a_test() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if re.match(r"\| \d", line)]
    assert len(rows) > 30
    for row in rows:
        items, _, test = (part.strip() for part in row.strip("|").split(" | "))
        assert re.fullmatch(r"\d+\.\d+\.\d+(, \d+\.\d+\.\d+)*", items), row
        assert NAMED.fullmatch(test), row


def test_what_is_asked_of_sessions_and_access_is_there() -> None:
    """Each chapter that the page is about has its first items."""
    told = set(re.findall(r"\b\d+\.\d+\.\d+\b", PAGE.read_text(encoding="utf-8")))
    for item in (
        "7.2.1",
        "7.2.3",
        "7.2.4",
        "7.4.1",
        "7.4.2",
        "8.2.1",
        "8.2.2",
        "8.3.1",
        "1.2.1",
        "3.3.1",
        "3.5.1",
        "3.5.3",
    ):
        assert item in told, item
