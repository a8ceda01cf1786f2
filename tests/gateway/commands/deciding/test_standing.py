"""``tidegate obligations``: what is asked, and what a person is told."""

from __future__ import annotations

from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from gateway.commands.deciding.standing import obligations
from gateway.control.api import client

MEANS = {"mechanism": "texts held against lists", "mechanism_zh": "文本与词库比对"}
ROW = {
    "route": "comments", "document": "comments-2017", "article": "5(1)", "grade": "kept", "asks": "Verify people",
    "asks_zh": "认证真实身份", "means": [MEANS], "lacks": [], "lacks_zh": [],
}  # fmt: skip
LACKING = {**ROW, "article": "10", "grade": "not", "lacks": ["no appeals"], "lacks_zh": ["无申诉"]}


def test_by_grade_and_in_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    async def call(self: object, method: str, path: str, body: Any = None, query: Any = None) -> Any:
        assert (method, path) == ("GET", "/v1/obligations")
        return {"totals": {"kept": 1, "partly": 0, "not": 1}, "rows": [ROW, LACKING]}

    monkeypatch.setattr(client.ControlClient, "call", call)
    monkeypatch.setattr("gateway.commands.terminal.shown_to_a_person", lambda: True)
    monkeypatch.setenv(client.TOKEN, "tg_x")
    app = typer.Typer()
    app.command()(obligations)
    where = ["--url", "http://127.0.0.1:1"]
    done = CliRunner().invoke(app, ["--lang", "en", *where])
    assert "1 kept, 0 partly, 1 not" in done.stdout
    assert "no appeals" in done.stdout
    assert "5(1)" in done.stdout
    done = CliRunner().invoke(app, ["--lang", "zh", "--grade", "not", *where])
    assert "无申诉" in done.stdout
    assert "5(1)" not in done.stdout
