"""``tidegate words precision``: what is asked, and what a person is told."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.commands.admin.words import app
from gateway.control.api import client

LIST = {"list": "spam", "hits": 9, "decided": 4, "upheld": 3, "masked": 0, "passed": 1, "share": 0.75}
WORD = {**LIST, "word_id": 7, "word": "cheap\x1b[31m gold", "hits": 2, "decided": 0, "upheld": 0, "share": None}


def test_lists_and_the_words_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    async def call(self: object, method: str, path: str, body: Any = None, query: Any = None) -> Any:
        asked.append((method, path, query))
        other = {**LIST, "list": "abuse"}
        return {"lists": [other, LIST], "words": [WORD] if "list" in query else [], "complete": False}

    monkeypatch.setattr(client.ControlClient, "call", call)
    monkeypatch.setattr("gateway.commands.terminal.shown_to_a_person", lambda: True)
    monkeypatch.setenv(client.TOKEN, "tg_x")
    where = ["--url", "http://127.0.0.1:1"]
    done = CliRunner().invoke(app, ["precision", *where])
    assert asked[0] == ("GET", "/v1/precision", {"limit": "50"})
    assert "abuse" in done.stdout
    assert "75 %" in done.stdout
    assert "20000" in done.stderr
    done = CliRunner().invoke(app, ["precision", "spam", "--since", "2026-11-01T00:00", *where])
    assert asked[1][2].keys() == {"limit", "list", "since"}
    assert "abuse" not in done.stdout
    assert "cheap" in done.stdout
    assert "\x1b[31m" not in done.stdout


def test_a_draft_is_shown_and_put_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    hit = {"id": "m1", "route": "comments", "room": "r1", "at": 1_700_000_000_000_000, "verdict": "pass"}
    told = {"looked_at": 12_000, "complete": False, "newly": 1, "no_longer": 0, "no_longer_hit": []}
    told["newly_hit"] = [{**hit, "words": ["pearls\x1b[31m"]}]

    async def call(self: object, method: str, path: str, body: Any = None, query: Any = None) -> Any:
        asked.append((path, body))
        act = {"act": 3, "in_force": True, "journalled": True, "projected": True}
        return told if path.endswith("backtest") else {**act, "result": {"list": "spam", "changed": 2}}

    monkeypatch.setattr(client.ControlClient, "call", call)
    monkeypatch.setattr("gateway.commands.terminal.shown_to_a_person", lambda: True)
    monkeypatch.setenv(client.TOKEN, "tg_x")
    lines = ["--add", "pearls", "--leave-out", "coins", "--url", "http://127.0.0.1:1"]
    done = CliRunner().invoke(app, ["draft", "spam", *lines])
    body = {"add": ["pearls"], "leave_out": ["coins"], "days": 7, "messages": 10_000}
    assert asked[0] == ("/v1/lists/spam:backtest", body)
    assert "12,000 looked at; there are more in this span: 1 newly hit, 0 no longer" in done.stdout
    assert "\x1b[31m" not in done.stdout
    done = CliRunner().invoke(app, ["apply", "spam", *lines, "--reason", "a campaign"])
    assert asked[1] == ("/v1/lists/spam:apply", {"add": ["pearls"], "leave_out": ["coins"], "reason": "a campaign"})
    assert "2 lines of spam are changed" in done.stdout
