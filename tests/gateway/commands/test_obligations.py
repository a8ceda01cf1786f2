"""``config check --obligations``: in a pipe, as JSON, as a page, in both languages, and beside a running node."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway import config as configuration
from gateway.commands.config import app
from gateway.commands.obligations import chosen
from gateway.obligations.configured import list_sizes

Written = Callable[..., Path]
run = CliRunner().invoke


def test_in_a_pipe_totals_come_first(written: Written) -> None:
    told = run(app, ["check", "--obligations", "--lang", "en", str(written())])
    assert told.exit_code == 0
    rows = [line.split("\t") for line in told.stdout.splitlines()]
    assert rows[0][0] == "totals"
    assert rows[1][0] == "unjudged"
    assert {row[0] for row in rows[2:]} == {"comments", "outside"}
    assert ["comments", "comments-2017", "5(1)", "kept"] in [row[:4] for row in rows]


def test_in_chinese(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "真实身份" in run(app, ["check", "--obligations", "--lang", "zh", str(written())]).stdout
    for spoken, language in (("zh_CN.UTF-8", "zh"), ("en_US.UTF-8", "en"), ("", "en"), ("de_DE", "en")):
        monkeypatch.setenv("LC_ALL", spoken)
        assert chosen("") == language
    assert chosen("zh") == "zh"


def test_json(written: Written) -> None:
    told = json.loads(run(app, ["check", "--obligations", "--json", str(written())]).stdout)
    grades = {(one["document"], one["article"]): one["grade"] for one in told["rows"]}
    assert ("comments-2017", "5(4)") not in grades  # of bullets
    assert grades["comments-2017", "10"] == "not"
    assert told["totals"] == {grade: list(grades.values()).count(grade) for grade in ("kept", "partly", "not")}


def test_a_page(written: Written, tmp_path: Path) -> None:
    page = tmp_path / "table.html"
    told = run(app, ["check", "--obligations", "--lang", "zh", "--html", str(page), str(written())])
    assert told.stdout == f"{page}\n"
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_wrong_usage_is_told(written: Written, tmp_path: Path) -> None:
    told = run(app, ["check", "--obligations", "--lang", "tlh", str(written())])
    assert told.exit_code == 2
    assert "en, zh" in told.stderr
    told = run(app, ["check", "--obligations", "--live", str(written())])
    assert told.exit_code == 2
    assert "is not the data folder of a gateway" in told.stderr
    (tmp_path / "data" / "generations").mkdir(parents=True)
    silent = written(more=f'[control]\nlisten = "unix:{tmp_path}/nobody"\n')
    told = run(app, ["check", "--obligations", "--live", "--data-dir", str(tmp_path / "data"), str(silent)])
    assert told.exit_code == 1
    assert "does the gateway run" in told.stderr
    assert "Traceback" not in told.stderr
    for nowhere in (tmp_path, tmp_path / "no" / "folder.html"):
        told = run(app, ["check", "--obligations", "--html", str(nowhere), str(written())])
        assert told.exit_code == 2
        assert told.stderr.startswith(f"--html: {nowhere} cannot be written: ")
    for alone in (["--live"], ["--html", str(tmp_path / "x.html")]):
        told = run(app, ["check", *alone, str(written())])
        assert told.exit_code == 2
        assert "--obligations" in told.stderr
    told = run(app, ["check", "--obligations", "--json", "--html", str(tmp_path / "x.html"), str(written())])
    assert told.exit_code == 2
    assert not (tmp_path / "x.html").exists()


def test_on_a_narrow_terminal_settings_and_tests_stay_whole(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("gateway.commands.terminal.shown_to_a_person", lambda: True)
    told = run(app, ["check", "--obligations", "--lang", "en", str(written())]).stdout
    assert "kept" in told.splitlines()[0]
    assert "policies.comment.rules[1 identity]" in told
    assert "tests/filters/checks/test_identity.py" in told
    assert max(map(len, told.splitlines())) <= 80


def test_words_that_a_list_allows_again_or_that_are_too_slight_do_not_count(written: Written) -> None:
    file = written()
    config = configuration.load(file, environ={})
    (section,) = list(config.lists.values())[:1]
    Path(section.path).write_text("@allow 赌博\n赌博\n广告 | severity 9\n发票\n", encoding="utf-8")
    (counts,) = list(list_sizes(config).values())[:1]
    assert (counts[1], counts[5], counts[6], counts[9]) == (2, 2, 1, 1)
    Path(section.path).unlink()
    assert set(next(iter(list_sizes(config).values())).values()) == {0}
