"""``tidegate init`` without a terminal: what it writes, says and refuses."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from gateway import config
from gateway.commands.init import TEXTS, init
from gateway.presets import preset

app = typer.Typer()
app.command()(init)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.mark.parametrize("name", preset.names())
def test_every_preset_is_written_and_good(name: str, folder: Path) -> None:
    done = run(name)
    assert (done.exit_code, done.stderr) == (0, "")
    read = config.load(folder / "tidegate.toml")
    assert any(route.judged for route in read.routes)
    told = preset.load(name).en
    for said in (*told.judged, *told.unjudged, told.refused, *told.cannot, *told.todo):
        assert f"  - {said}\n" in done.stdout
    assert "tidegate run\n" in done.stdout
    assert sorted(path.name for path in (folder / "lists").iterdir()) == ["abuse.txt", "gambling.txt", "spam.txt"]


def test_what_is_left_to_do_is_what_was_not_answered(folder: Path) -> None:
    told = run("isso").stdout
    assert preset.SITE in told
    assert "write an address for appeals" in told
    assert "put lists of your own" in told
    (folder / "bad.txt").write_text("spam\n", encoding="utf-8")
    told = run(
        "isso", "--force", "--site", "https://a.test", "--appeal", "mailto:me@a.test?{id}", "--deny", "bad.txt"
    ).stdout
    assert preset.SITE not in told
    assert "address for appeals" not in told
    assert "lists of your own" not in told


def test_doubts_and_what_nobody_judges_are_told() -> None:
    told = run("plain").stdout
    assert re.search(r"Worth a second look.*\n  - policies\.messages\.appeal: is off", told)
    assert "judged by nobody\n  - DELETE /api/articles/{room}/comments/{id}: relayed by route deletions\n" in told


def test_in_chinese(folder: Path) -> None:
    told = run("waline", "--lang", "zh").stdout
    assert "判定的内容" in told
    assert preset.load("waline").zh.refused in told
    assert "policies.messages.appeal：为 off" in told
    assert config.load(folder / "tidegate.toml").sentences.language == "zh"


def test_what_is_there_stays(folder: Path) -> None:
    (folder / "tidegate.toml").write_text("mine", encoding="utf-8")
    done = run("plain")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "--force" in done.stderr
    assert (folder / "tidegate.toml").read_text(encoding="utf-8") == "mine"
    assert not (folder / "lists").exists()
    assert run("plain", "--force").exit_code == 0
    assert config.load(folder / "tidegate.toml")


def test_elsewhere(folder: Path) -> None:
    (folder / "etc").mkdir()
    (folder / "words.txt").write_text("spam\n", encoding="utf-8")
    (folder / "etc" / "rude.txt").write_text("rude\n", encoding="utf-8")
    done = run("plain", "--config", "etc/gate.toml", "--deny", "words.txt", "--mask", "etc/rude.txt")
    assert done.exit_code == 0, done.output
    assert "tidegate run -c etc/gate.toml" in done.stdout
    text = (folder / "etc" / "gate.toml").read_text(encoding="utf-8")
    assert f'path = "{folder / "words.txt"}"' in text
    assert 'path = "rude.txt"' in text
    assert config.load(folder / "etc" / "gate.toml")


def test_list_and_print_write_nothing(folder: Path) -> None:
    told = run("--list").stdout
    assert [line.split()[0] for line in told.splitlines()] == list(preset.names())
    told = run("--print", "isso", "--site", "https://a.test", "--under", "/isso").stdout
    assert 'match = "POST /isso/new"' in told
    assert 'origins = ["https://a.test"]' in told
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name a preset"),
        (("iso",), "did you mean “isso”"),
        (("isso", "--address", "localhost:8080"), "--address: begin with http://"),
        (("isso", "--address", "http://a:b@a.test"), "--address: credentials do not belong"),
        (("isso", "--listen", "8080"), "--listen is not an address"),
        (("isso", "--control", "8080"), "--control is not an address"),
        (("isso", "--front", "10.0.0.7/8"), "--front is not an address range"),
        (("isso", "--site", "www.example.com"), "--site is not"),
        (("isso", "--site", "https://a.test/"), "--site is not"),
        (("isso", "--under", "isso"), "--under is not a folder"),
        (("isso", "--under", '/a"b'), "--under is not a folder"),
        (("isso", "--deny", "none.txt"), "--deny names none.txt"),
        (("isso", "--lang", "fr"), "--lang"),
        (("isso", "--config", "none/tidegate.toml"), "none is no folder"),
        (("isso", "--config", "."), ". is a folder"),
        (("isso", "--config", ".", "--force"), ". is a folder"),
    ],
)
def test_what_is_no_answer_is_said_at_once(arguments: tuple[str, ...], said: str, folder: Path) -> None:
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_cannot_be_written_is_said_by_its_name(
    language: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    done = run("plain", "--lang", language)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "tidegate.toml" in done.stderr
    assert "No space left" in done.stderr
    assert list(folder.iterdir()) == []


def test_a_file_in_place_of_the_folder_of_lists(folder: Path) -> None:
    (folder / "lists").write_text("mine", encoding="utf-8")
    done = run("plain")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "lists: File exists" in done.stderr
    assert [path.name for path in folder.iterdir()] == ["lists"]


def test_what_cannot_be_a_configuration_is_told_as_config_check_does(folder: Path) -> None:
    done = run("plain", "--address", "http://127.0.0.1:8080", "--listen", "127.0.0.1:8080")
    assert done.exit_code == 1
    assert "tidegate.toml" in done.stderr
    assert "each request would come back" in done.stderr
    assert list(folder.iterdir()) == []
    (folder / "lists").mkdir()
    assert run("plain", "--address", "http://127.0.0.1:8080", "--listen", "127.0.0.1:8080").exit_code == 1
    assert [path.name for path in folder.iterdir()] == ["lists"]  # it was there, and stays
    assert list((folder / "lists").iterdir()) == []


def test_both_languages_have_every_sentence() -> None:
    for key, (english, chinese) in TEXTS.items():
        assert re.search(r"[\u4e00-\u9fff]", chinese), key
        assert english.count("{0}") == chinese.count("{0}"), key
