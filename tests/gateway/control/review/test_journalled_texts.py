"""What a case is about, as the journal holds it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.control.cases.rows import Case
from gateway.control.review import journalled_texts
from gateway.control.review.journalled_texts import NOT_KEPT, UNKNOWN, JournalledTexts


async def test_text_and_findings_or_why_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = {"check": "keywords", "reason": "keyword.match", "effect": "mask", "field": 0, "spans": [[0, 1]]}
    held: dict[str, Any] = {
        "kept": SimpleNamespace(first={"content": {"plain": ["abc"]}, "findings": [finding]}),
        "sealed": SimpleNamespace(first={"content": {"cipher": ""}}),
        "none": None,
    }

    def find(root: Path, message_id: str) -> Any:
        if message_id == "shrinks":
            raise ValueError
        return held[message_id]

    monkeypatch.setattr(journalled_texts.lookup, "find", find)
    rows = [Case(id=number, message_id=name) for number, name in enumerate([*held, "shrinks"])]
    told = await JournalledTexts(tmp_path).read(rows)
    assert told[0].masked == ("*bc",)
    assert (told[0].texts, told[0].findings, told[0].missing) == (("abc",), (finding,), "")
    assert [told[number].missing for number in (1, 2, 3)] == [NOT_KEPT, UNKNOWN, UNKNOWN]


async def test_a_journal_that_has_nothing(tmp_path: Path) -> None:
    told = await JournalledTexts(tmp_path).read([Case(id=1, message_id="0190aaaa-0000-7000-8000-000000000000")])
    assert told[1].missing == UNKNOWN
