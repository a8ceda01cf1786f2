"""``tidegate own``: what is asked."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.commands.deciding.own import app
from gateway.control.api import client

ACT = {"act": 3, "in_force": True, "journalled": True, "projected": True}
CHOICE = {"language": "zh", "theme": "", "declined": ["abuse"], "cap": 0, "rest": 0}


class Control:
    """``asked`` is what it heard."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        control = self

        async def call(self: object, method: str, path: str, body: Any = None, query: Any = None) -> Any:
            control.asked.append((method, path, body))
            return CHOICE if method == "GET" else ACT | {"result": CHOICE | {"ended": 2}}

        monkeypatch.setattr(client.ControlClient, "call", call)
        monkeypatch.setenv(client.TOKEN, "tg_x")

    def run(self, *words: str, given: str | None = None) -> Any:
        return CliRunner().invoke(app, [*words, "--url", "http://127.0.0.1:1"], input=given)


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch) -> Control:
    monkeypatch.setattr("gateway.commands.terminal.shown_to_a_person", lambda: True)
    return Control(monkeypatch)


def test_what_is_left_out_stays(control: Control) -> None:
    assert control.run("set", "--language", "browser", "--cap", "0").exit_code == 0
    assert control.run("set", "--decline", "abuse", "--decline", "gore", "--rest", "50").exit_code == 0
    assert control.run("set", "--decline-none", "--theme", "dark").exit_code == 0
    assert [asked[2] for asked in control.asked] == [
        {"language": "", "cap": 0},
        {"declined": ["abuse", "gore"], "rest": 50},
        {"declined": [], "theme": "dark"},
    ]
    assert control.run("set").exit_code == 2
    assert "abuse" in control.run("show").stdout


def test_a_password_is_read_from_the_standard_input_and_not_said_again(control: Control) -> None:
    done = control.run("password", given=" correct horse battery\n")
    assert control.asked == [("PUT", "/v1/me/password", {"password": " correct horse battery"})]
    assert "correct" not in done.output
    assert control.run("password", given="").exit_code == 2


def test_everywhere(control: Control) -> None:
    assert "2 ended" in control.run("log-out", "--reason", "a lost telephone").output
    assert control.asked == [("DELETE", "/v1/me/sessions", None)]
