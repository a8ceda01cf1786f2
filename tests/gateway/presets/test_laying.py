"""A configuration is put in its place whole and good, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config import ConfigError
from gateway.presets import composing, laying, preset
from tools.platforms_page import usual


@pytest.fixture
def text(tmp_path: Path) -> str:
    laying.lay_lists(tmp_path)
    return composing.composed(preset.load("plain"), usual(preset.load("plain")))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file() or path.is_symlink())


def test_what_is_good_stands_there_and_nothing_beside_it(tmp_path: Path, text: str) -> None:
    told = laying.write(text, tmp_path / "tidegate.toml")
    assert (tmp_path / "tidegate.toml").read_text(encoding="utf-8") == text
    assert (tmp_path / "tidegate.toml").stat().st_mode & 0o777 == 0o644
    assert names(tmp_path) == ["tidegate.toml"]
    assert any("appeal" in one.en for one in told.warnings)
    assert told.unjudged


def test_what_is_there_is_never_written_over(tmp_path: Path, text: str) -> None:
    target = tmp_path / "tidegate.toml"
    target.write_text("mine", encoding="utf-8")
    with pytest.raises(laying.AlreadyThere):
        laying.write(text, target)
    assert target.read_text(encoding="utf-8") == "mine"
    laying.write(text, target, force=True)
    assert target.read_text(encoding="utf-8") == text
    assert names(tmp_path) == ["tidegate.toml"]


def test_a_link_that_leads_nowhere_is_there_too(tmp_path: Path, text: str) -> None:
    target = tmp_path / "tidegate.toml"
    target.symlink_to("elsewhere.toml")
    with pytest.raises(laying.AlreadyThere):
        laying.write(text, target)
    laying.write(text, target, force=True)
    assert target.is_symlink()
    assert (tmp_path / "elsewhere.toml").read_text(encoding="utf-8") == text


def test_what_comes_while_it_is_checked_stays(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "tidegate.toml"
    check = laying.check

    def slow(path: Path, shown: Path) -> laying.Vetted:
        told = check(path, shown)
        target.write_text("theirs", encoding="utf-8")
        return told

    monkeypatch.setattr(laying, "check", slow)
    with pytest.raises(laying.AlreadyThere):
        laying.write(text, target)
    assert target.read_text(encoding="utf-8") == "theirs"
    assert names(tmp_path) == ["tidegate.toml"]


@pytest.mark.parametrize("force", [False, True])
def test_what_is_not_good_leaves_everything_as_it_was(tmp_path: Path, text: str, force: bool) -> None:
    target = tmp_path / "tidegate.toml"
    if force:
        target.write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError) as told:
        laying.write(text.replace('policy = "messages"', 'policy = "mesages"', 1), target, force=force)
    assert [str(target) in str(one) for one in told.value.problems] == [True]
    assert names(tmp_path) == (["tidegate.toml"] if force else [])


def test_lists_that_are_there_stay(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "spam.txt").write_text("mine\n", encoding="utf-8")
    assert [path.name for path in laying.lay_lists(tmp_path)] == ["gambling.txt", "abuse.txt"]
    assert (tmp_path / "lists" / "spam.txt").read_text(encoding="utf-8") == "mine\n"
    assert laying.lay_lists(tmp_path) == []
