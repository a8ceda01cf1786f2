"""Tables for people, lines for programs."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from gateway.commands import terminal
from gateway.commands.terminal import Column

ID = "01a20094-b11c-7000-8001-0054a58fe235"
COLUMNS = (Column("id", whole=True), Column("room"), Column("why"), Column("credit"))


def printed(rows: list[dict[str, object]], width: int) -> str:
    out = io.StringIO()
    terminal.table(rows, COLUMNS, Console(file=out, width=width, force_terminal=False))
    return out.getvalue()


@pytest.mark.parametrize("width", [10, 24, 40, 62, 80, 200])
def test_ids_are_whole_at_any_width(width: int) -> None:
    rows = [
        {"id": ID, "room": "lobby", "why": "a long reason that nobody needs to see in one line " * 3, "credit": 7}
    ] * 2
    assert printed(rows, width).count(ID) == 2


def test_no_word_is_broken_either() -> None:
    rows: list[dict[str, object]] = [
        {"id": "7", "room": "account.import", "why": "2026-11-29 12:59:48+00:00 and more words", "credit": 7}
    ]
    for width in (30, 40, 50, 60, 80):
        told = printed(rows, width)
        assert all(word in told for word in ("account.import", "12:59:48+00:00")), told


def test_where_a_row_does_not_fit_its_values_stand_under_each_other() -> None:
    told = printed([{"id": ID, "room": "lobby", "why": None, "credit": 7}] * 2, 40)
    assert told == f"id      {ID}\nroom    lobby\ncredit  7\n\n" * 1 + f"id      {ID}\nroom    lobby\ncredit  7\n"


@given(st.text(max_size=80), st.integers(8, 200))
def test_nothing_is_obeyed_and_nothing_is_lost(text: str, width: int) -> None:
    told = printed([{"id": text, "room": f"[red]{text}", "why": "\x1b[31m", "credit": 1}], width)
    assert not {"\x1b", "\r", "\x9b"} & set(told)
    assert not {character for character in told if not character.isprintable()} - {"\n"}
    if text.isascii() and text.isalnum():
        assert text in "".join(told.split()) if width > 2 * len(text) + 40 else told


def test_programs_get_a_line_a_row(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    terminal.lines([{"a": "说"}, {"a": "\x1b"}])
    assert [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()] == [{"a": "说"}, {"a": "\x1b"}]


def test_moments() -> None:
    assert terminal.until(0) == "no end"
    assert terminal.until(1_800_000_000) == terminal.when(1_800_000_000_000_000)
    assert terminal.when(1_800_000_000_000_000).startswith("2027-01-1")
    assert (terminal.yes(True), terminal.yes(0)) == ("yes", "no")
