"""``config check --obligations``: in a pipe, as JSON, as a page, in both languages, and beside a running node."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.commands.config import app
from gateway.commands.obligations import chosen

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
    told = run(app, ["check", "--obligations", "--live", str(written())])  # nobody listens there
    assert told.exit_code == 1
    assert "does the gateway run" in told.stderr
    assert "Traceback" not in told.stderr
    for alone in (["--live"], ["--lang", "zh"], ["--html", str(tmp_path / "x.html")]):
        told = run(app, ["check", *alone, str(written())])
        assert told.exit_code == 2
        assert "--obligations" in told.stderr
    told = run(app, ["check", "--obligations", "--json", "--html", str(tmp_path / "x.html"), str(written())])
    assert told.exit_code == 2
    assert not (tmp_path / "x.html").exists()
