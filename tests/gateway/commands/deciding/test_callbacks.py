"""``tidegate callbacks``: what is asked, and what a person is told."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.commands.deciding.callbacks import app
from gateway.control.api import client

CALL = {
    "id": 7, "uid": "u", "receiver": "platform", "event": "message.refused", "subject": "message:m1", "sequence": 2,
    "state": "dead", "at": 1_700_000_000_000_000, "changed_at": 1_700_000_000_000_000, "due_at": 0, "tries": 12,
    "status": 500, "problem": "callback.status",
}  # fmt: skip
ACT = {"act": 3, "in_force": True, "journalled": True, "projected": True}


class Control:
    """Answers by path; ``asked`` is what it heard."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, str, Any, Any]] = []
        self.answers: dict[str, Any] = {}
        control = self

        async def call(self: object, method: str, path: str, body: Any = None, query: Any = None) -> Any:
            control.asked.append((method, path, body, query))
            return control.answers[path]

        monkeypatch.setattr(client.ControlClient, "call", call)
        monkeypatch.setenv(client.TOKEN, "tg_x")

    def run(self, *words: str) -> Any:
        return CliRunner().invoke(app, [*words, "--url", "http://127.0.0.1:1"])


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch) -> Control:
    monkeypatch.setattr("gateway.commands.terminal.shown_to_a_person", lambda: True)
    return Control(monkeypatch)


def test_the_list(control: Control) -> None:
    control.answers["/v1/callbacks"] = {"callbacks": [CALL]}
    done = control.run("list", "--state", "dead", "--receiver", "platform", "--message", "m1", "--limit", "1")
    assert control.asked[0][3] == {"state": "dead", "receiver": "platform", "message": "m1", "limit": "1"}
    assert "callback.status" in done.stdout
    assert "--after 7" in done.stderr


def test_one_is_shown_and_commands_no_terminal(control: Control) -> None:
    body = {"event": "message.refused", "message": {"room": "r\x1b[31m", "ground": None}}
    control.answers["/v1/callbacks/7"] = {**CALL, "body": body}
    done = control.run("show", "7")
    assert "message.room: r\N{REPLACEMENT CHARACTER}[31m" in done.stdout
    assert "ground" not in done.stdout


def test_one_is_sent_again(control: Control) -> None:
    control.answers["/v1/callbacks/7:resend"] = {**ACT, "result": CALL}
    done = control.run("resend", "7", "--reason", "down")
    assert control.asked == [("POST", "/v1/callbacks/7:resend", {"reason": "down"}, {})]
    assert "call 7 is sent again (act 3)" in done.stdout


def test_all_of_a_receiver(control: Control) -> None:
    control.answers["/v1/callbacks:resend"] = {**ACT, "result": {"count": 1000, "more": True}}
    done = control.run("resend", "--receiver", "platform", "--event", "message.refused", "--reason", "down")
    assert control.asked[0][2] == {
        "reason": "down", "receiver": "platform", "state": "dead", "event": "message.refused"
    }  # fmt: skip
    assert "1000 calls to platform are sent again" in done.stdout
    assert "do it again" in done.stderr


@pytest.mark.parametrize("words", [[], ["7", "--receiver", "platform"]])
def test_one_or_all_and_not_both(control: Control, words: list[str]) -> None:
    assert control.run("resend", *words, "--reason", "down").exit_code == 2
    assert control.asked == []


def test_a_trial(control: Control) -> None:
    control.answers["/v1/callbacks:test"] = {**ACT, "result": CALL}
    done = control.run("test", "on-call", "--reason", "new")
    assert control.asked[0][2] == {"reason": "new", "receiver": "on-call"}
    assert "call 7 is on its way to on-call" in done.stdout
