"""``tidegate appeals``: what is asked of whoever reads one."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.commands.admin.appeals import app
from gateway.control.api import client

APPEAL = {
    "id": 1, "state": "waiting", "filed_at": 1_700_000_000_000_000, "due_at": 1_700_000_000_000_000, "claimed_by": "li",
    "outcome": "", "decided_by": "", "reason": "keyword.match", "route": "comments", "language": "en", "texts": ["buy"],
    "proved": True, "message_id": "m1", "room": "r1", "sender": "u1", "ground": "3.1", "statement": "no", "parties": [],
    "trace": [],
}  # fmt: skip


def test_whoever_has_claimed_an_appeal_reads_it_without_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    async def call(self: object, method: str, path: str, body: Any = None, query: Any = None) -> Any:
        asked.append((method, path, query))
        return APPEAL

    monkeypatch.setattr(client.ControlClient, "call", call)
    monkeypatch.setenv(client.TOKEN, "tg_x")
    url = ["--url", "http://127.0.0.1:1"]
    assert CliRunner().invoke(app, ["show", "1", *url]).exit_code == 0
    assert CliRunner().invoke(app, ["show", "1", "--reason", " audit ", *url]).exit_code == 0
    assert CliRunner().invoke(app, ["show", "1", "--reason", " ", *url]).exit_code == 2
    assert asked == [("GET", "/v1/appeals/1", {}), ("GET", "/v1/appeals/1", {"reason": "audit"})]
