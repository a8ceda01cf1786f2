"""The study of the console: rounds ask every page of the table, and what is told of times is right."""

from __future__ import annotations

from pathlib import Path

from benchmarks.studies import console, console_rounds
from gateway.control.console.console_pages import PAGES


def test_a_round_asks_every_page() -> None:
    source = Path(console_rounds.__file__).read_text(encoding="utf-8")
    missing = [f"{page.method} {page.path}" for page in PAGES if f'"{page.method} {page.path}"' not in source]
    assert missing == []


def test_figures_are_of_milliseconds() -> None:
    told = console.figures([0.001 * number for number in range(1, 201)])
    assert told == {"asked": 200, "median_ms": 100.5, "p99_ms": 198.0, "max_ms": 200.0}


def test_an_answer_tells_where_it_leads() -> None:
    seen = console_rounds.Seen(303, "/console/review/17?done=3", '<input type="hidden" name="seen" value="2">')
    assert (seen.case, seen.field("seen"), seen.field("other")) == (17, "2", "")
