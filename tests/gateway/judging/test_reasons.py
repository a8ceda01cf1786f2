"""docs/reasons.md names every reason code, with its status and meaning, and no other."""

from pathlib import Path

import pytest

from gateway.judging import reasons

PAGE = (Path(__file__).parents[3] / "docs" / "reasons.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("chapter", list(reasons.chapters()), ids=lambda chapter: chapter.title)
def test_the_page_holds_each_table(chapter: reasons.Chapter) -> None:
    after = PAGE.partition(f"## {chapter.title}\n")[2].partition("\n## ")[0]
    assert reasons.page(chapter) in after, "run `python tools/reference.py`"


def test_no_code_stands_for_two_things() -> None:
    codes = [code for chapter in reasons.chapters() for code, _, _ in chapter.rows]
    assert len(codes) == len(set(codes))
