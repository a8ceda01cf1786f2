"""``tidegate handover``: what is asked, and what a person is told."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.commands.deciding.handover import PARTS, app
from gateway.control.api import client
from gateway.control.shifts.schemas import Counted, HandoverOut

NOW = 1_700_000_000_000_000
NOTE = {"id": 1, "at": NOW, "person": "lea", "note": "room 7 is restless\n\x1b[31mask the owner"}
CASE = {
    "id": 7, "route": "comments", "room": "r1", "category": "fraud", "opened_at": NOW, "state": "waiting",
    "claimed_by": "", "note": "names a minor",
}  # fmt: skip


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, Any, Any]]:
    asked: list[tuple[str, str, Any, Any]] = []

    async def call(self: object, method: str, path: str, body: Any = None, query: Any = None) -> Any:
        asked.append((method, path, body, query))
        if method == "POST":
            return {"act": 3, "in_force": True, "journalled": True, "projected": True, "result": NOTE}
        told: dict[str, Any] = {name: [] for name, _, _ in PARTS}
        counts = dict.fromkeys(Counted.model_fields, 0) | {"escalated": 1, "unknown": 2, "undeliverable": 3}
        return told | {"since": NOW, "at": NOW, "notes": [NOTE], "counts": counts, "escalated": [CASE]}

    monkeypatch.setattr(client.ControlClient, "call", call)
    monkeypatch.setattr("gateway.commands.terminal.shown_to_a_person", lambda: True)
    monkeypatch.setenv(client.TOKEN, "tg_x")
    return asked


def run(*words: str) -> Any:
    return CliRunner().invoke(app, [*words, "--url", "http://127.0.0.1:1"])


def test_what_is_open_and_the_last_note(control: list[Any]) -> None:
    done = run("show", "--since", "2026-11-01T00:00")
    assert control[0][3]["since"].isdigit()
    assert "1 wait for a lead" in done.stdout
    assert "names a minor" in done.stdout
    assert "5 releases are unknown or undeliverable" in done.stdout
    assert "| room 7 is restless" in done.stdout
    assert "\x1b[31m" not in done.stdout
    run("show")
    assert control[1][3] == {}


def test_a_note_is_written(control: list[Any]) -> None:
    assert run("note", "room 7 is restless").exit_code == 0
    assert control[0][:3] == ("POST", "/v1/handover", {"note": "room 7 is restless"})


def test_every_part_of_the_answer_is_told() -> None:
    lists = HandoverOut.model_fields.keys() - {"since", "at", "notes", "counts"}
    assert {name for name, _, _ in PARTS} == lists
