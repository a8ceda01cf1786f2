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
