"""Generations: compiled aside, immutable, the last good one kept."""

import os
import sys
from pathlib import Path

import pytest

from gateway.common.folders import Folders
from gateway.generation import generation
from gateway.generation.changes import LineChanges, write
from gateway.words.files import folding_tables, load_artifact

CONFIG = """
[upstreams.platform]
servers = ["http://127.0.0.1:9"]
[lists.spam]
path = "spam.txt"
"""


@pytest.fixture
def place(tmp_path: Path) -> tuple[Path, Folders]:
    (tmp_path / "spam.txt").write_text("代开发票\n刷单返利\n", encoding="utf-8")
    config = tmp_path / "tidegate.toml"
    config.write_text(CONFIG, encoding="utf-8")
    folders = Folders(tmp_path / "data")
    folders.make()
    return config, folders


def words(folders: Folders, number: int, text: str) -> bool:
    path = generation.load(folders, number).artifacts["spam"]
    from filters.reading.keywords import Scanner

    return bool(Scanner([load_artifact(path, folding_tables())]).scan((text,)).hits)


async def test_each_compilation_is_a_new_number_and_shares_unchanged_lists(place: tuple[Path, Folders]) -> None:
    config, folders = place
    first = await generation.compile_aside(config, folders)
    second = await generation.compile_aside(config, folders)
    assert (first.number, second.number) == (1, 2)
    assert first.artifacts == second.artifacts
    assert words(folders, 2, "代开发票")


async def test_problems_of_configuration_and_lists_are_told_and_leave_nothing(place: tuple[Path, Folders]) -> None:
    config, folders = place
    config.write_text(CONFIG + 'wrong = 1\n[server]\nworkers = "many"\n', encoding="utf-8")
    with pytest.raises(generation.CompileFailed) as failure:
        await generation.compile_aside(config, folders)
    assert len(failure.value.problems) == 2
    config.write_text(CONFIG, encoding="utf-8")
    (config.parent / "spam.txt").write_text("a & & b\n", encoding="utf-8")
    with pytest.raises(generation.CompileFailed, match=r"spam\.txt:1"):
        await generation.compile_aside(config, folders)
    assert not list(folders.generations.iterdir())


def test_what_only_building_shows_is_told_before_anything_is_swapped(place: tuple[Path, Folders]) -> None:
    config, folders = place
    config.write_text(
        CONFIG
        + """
[policies.open]
appeal = "off"
rules = []
[[routes]]
name = "mixed"
match = "POST /c/{room}"
surface = "comment"
upstream = "platform"
policy = "open"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = ["json:/content", "form:content"]
message_when = { "/type" = "comment" }
""",
        encoding="utf-8",
    )
    with pytest.raises(generation.CompileFailed, match=r"routes\[mixed\].*message_when"):
        generation.compile_here(config, folders)


def test_a_generation_does_not_change_with_the_operators_file(place: tuple[Path, Folders]) -> None:
    config, folders = place
    number = generation.compile_here(config, folders)
    config.write_text("this is not even TOML", encoding="utf-8")
    (config.parent / "spam.txt").write_text("other\n", encoding="utf-8")
    loaded = generation.load(folders, number)
    assert list(loaded.config.lists) == ["spam"]
    assert loaded.config.lists["spam"].path == config.parent / "spam.txt"
    assert words(folders, number, "代开发票")


def test_old_generations_go_but_never_the_one_in_force(place: tuple[Path, Folders]) -> None:
    config, folders = place
    folders.make_current(generation.compile_here(config, folders))
    for number in range(6):
        (config.parent / "spam.txt").write_text(f"word{number}\n", encoding="utf-8")
        generation.compile_here(config, folders)
    kept = sorted(int(path.name) for path in folders.generations.iterdir() if path.name.isdigit())
    assert kept == [1, 5, 6, 7]
    assert {path.name for path in folders.artifacts.glob("*.tga")} == {
        generation.load(folders, number).artifacts["spam"].name for number in kept
    }


def test_lines_that_people_added_and_removed_are_compiled_in(place: tuple[Path, Folders]) -> None:
    config, folders = place
    write(folders.list_changes, 1, {"spam": LineChanges(("新的词语",), ("代开发票",))})
    number = generation.compile_here(config, folders)
    assert words(folders, number, "新的词语")
    assert not words(folders, number, "代开发票")
    assert words(folders, number, "刷单返利")


def test_without_what_people_changed_nothing_is_compiled(place: tuple[Path, Folders]) -> None:
    config, folders = place
    folders.database(generation.configuration.load(config)).touch()
    for spoil in (lambda: None, lambda: folders.list_changes.write_bytes(b"{}")):
        spoil()
        with pytest.raises(generation.CompileFailed, match="what people changed in word lists: control writes it anew"):
            generation.compile_here(config, folders)
    assert not [path for path in folders.generations.iterdir() if path.name.isdigit()]


def test_a_half_copied_list_is_refused_until_it_is_meant(place: tuple[Path, Folders]) -> None:
    config, folders = place
    spam = config.parent / "spam.txt"
    spam.write_text("".join(f"word{number}\n" for number in range(8)), encoding="utf-8")
    folders.make_current(generation.compile_here(config, folders))
    spam.write_text("word0\n", encoding="utf-8")
    for _ in range(2):  # a start is no better than a reload
        with pytest.raises(generation.CompileFailed, match="holds 1 word, 8 before"):
            generation.compile_here(config, folders)
    number = generation.compile_here(config, folders, ["spam"])
    assert [str(each) for each in generation.load(folders, number).lists] == ["spam: 0 added, 7 removed, 1 word now"]
    with pytest.raises(generation.CompileFailed, match="names no list: spma"):
        generation.compile_here(config, folders, ["spma"])
    config.write_text(CONFIG + "may_shrink = true\n", encoding="utf-8")
    generation.compile_here(config, folders)


async def test_the_compiler_is_told_what_may_shrink(place: tuple[Path, Folders]) -> None:
    config, folders = place
    spam = config.parent / "spam.txt"
    folders.make_current(generation.compile_here(config, folders))
    spam.write_text("", encoding="utf-8")
    with pytest.raises(generation.CompileFailed, match="no word"):
        await generation.compile_aside(config, folders)
    loaded = await generation.compile_aside(config, folders, ["spam"])
    assert loaded.lists[0].removed == 2


def test_a_damaged_generation_in_force_does_not_hinder(place: tuple[Path, Folders]) -> None:
    config, folders = place
    folders.make_current(generation.compile_here(config, folders))
    (folders.generation(1) / "manifest.json").write_text("[]")
    assert generation.in_force(folders) == {}
    assert generation.compile_here(config, folders) == 2


def test_messages_come_before_the_compiler(place: tuple[Path, Folders], monkeypatch, capfd) -> None:
    config, folders = place
    nicer: list[int] = []
    monkeypatch.setattr(os, "nice", nicer.append)
    monkeypatch.setattr(sys, "argv", ["compile", "--config", str(config), "--data-dir", str(folders.root)])
    assert generation.main() == 0
    assert nicer == [generation.NICENESS]
