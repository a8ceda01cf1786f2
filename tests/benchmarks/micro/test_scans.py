"""Two checkouts' filters side by side; here both are this one, so what is told is whether it runs and reads alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.micro import scans
from rig.process import ROOT


def test_texts_are_as_long_as_they_say_and_all_different() -> None:
    found = scans.texts()
    assert {kind: {len(text) for text in each} for kind, each in found.items()} == {
        kind: {characters} for kind, characters in scans.CHARACTERS.items()
    }
    assert all(len(set(each)) == scans.TEXTS for each in found.values())
    assert found == scans.texts()


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> scans.Given:
    monkeypatch.setattr(scans, "LISTED", 100)
    monkeypatch.setattr(scans, "SECONDS", 0.001)
    return scans.Given(tmp_path)


def test_both_are_timed_in_turn(given: scans.Given, capsys: pytest.CaptureFixture[str]) -> None:
    found = scans.timed({"before": ROOT, "after": ROOT}, given, 2)
    assert set(found) == set(scans.CHARACTERS)
    assert all(len(spent) == 2 and min(spent) > 0 for each in found.values() for spent in each.values())
    assert "before: filters.reading.keywords" in capsys.readouterr().out
