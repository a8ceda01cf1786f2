"""What can be written from the code is what stands there; and the rest of a page is left alone."""

from __future__ import annotations

import pytest

from tools import reference
from tools.reference import Generated


@pytest.mark.parametrize("one", list(reference.generated()), ids=lambda one: one.path.relative_to(reference.ROOT))
def test_what_is_generated_is_what_stands_there(one: Generated) -> None:
    assert not one.stale(), "run `make reference`, and read what it changed"


def test_only_the_table_under_its_heading_is_written() -> None:
    page = "# Page\n\n| a |\n|---|\n\n## One\n\nWords.\n\n| old |\n|---|\n| x |\n\nMore.\n\n## Two\n\n| b |\n|---|\n"
    table = "| new |\n|---|\n| y |\n"
    assert reference._chapter(page, "One", table) == page.replace("| old |\n|---|\n| x |\n", table)
    assert reference._chapter(page, "Three", table) == f"{page}\n## Three\n\n{table}"


def test_there_are_good_and_bad_golden_configurations() -> None:
    told = {
        path.stem: path.read_text(encoding="utf-8").partition(reference.LINE) for path in reference.GOLDEN.glob("*.txt")
    }
    assert all(line for _, line, _ in told.values()), "a golden file has a line of four dashes"
    assert not told["good"][2]
    assert all(problems for name, (_, _, problems) in told.items() if name != "good")
