"""docs/reasons.md is part of the contract: it names every code of the HTTP layer with its status and meaning."""

import re
from pathlib import Path

import pytest

from filters.model.meaning import Meaning, titled
from gateway.http.upstream import failure
from gateway.http.wire.errors import REASONS, HTTPError

PAGE = Path(__file__).parents[4] / "docs" / "reasons.md"
ROW = re.compile(r"^\| `([a-z_0-9.]+)` \| (\d{3}) \| (.+) \| (.+) \|$", re.MULTILINE)


def section(title: str) -> dict[str, Meaning]:
    text = PAGE.read_text(encoding="utf-8").partition(f"## {title}\n")[2].partition("\n## ")[0]
    return {name: titled(int(status), english, chinese) for name, status, english, chinese in ROW.findall(text)}


def test_the_page_and_the_table_are_the_same() -> None:
    assert section("Requests that are refused before anything is judged") == REASONS


def test_the_page_and_the_upstreams_table_are_the_same() -> None:
    assert section("The upstream gave no answer") == failure.REASONS


def test_every_code_used_is_in_the_table() -> None:
    """A code that a parser raises and the table does not know would be a KeyError in the middle of an answer."""
    used: set[str] = set()
    for file in (Path(__file__).parents[4] / "gateway" / "http").rglob("*.py"):
        used |= set(
            re.findall(r'"((?:head|path|body|route|server|gateway)\.[a-z_]+)"', file.read_text(encoding="utf-8"))
        )
    assert used - {"gateway.http"} <= set(REASONS)
    assert used >= {"head.duplicate_host", "body.chunk_size"}


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_an_error_knows_its_status(reason: str) -> None:
    assert HTTPError(reason).status == REASONS[reason].status
    assert 400 <= REASONS[reason].status <= 599
