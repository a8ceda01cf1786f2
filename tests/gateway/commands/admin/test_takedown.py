"""``tidegate takedown``: whose token, what is asked, what is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from aiohttp import web
from typer.testing import CliRunner

from gateway.commands import terminal
from gateway.commands.admin import takedown as takedown_command
from gateway.control.api import client

MESSAGE = "01a20094-b11c-7000-8001-0054a58fe235"


def out(state: str, **more: Any) -> dict[str, Any]:
    events = [{"at": 1, "event": "requested", "status": None, "problem": ""}]
    events.append({"at": 2, "event": state, **({"status": 204, "problem": ""} | more)})
    return {"id": 3, "message_id": MESSAGE, "state": state, "copy_id": None, "trace": events}


class Control:
    """An admin API of canned answers; ``asked`` is what it heard."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.tokens: set[str | None] = set()
        self.states = [out("confirmed")]
        self.refuses: dict[str, Any] = {}
        message = {
            "id": MESSAGE,
            "route": "comments",
            "room": "r\x1b[1",
            "at": 1_800_000_000_000_000,
            "verdict": "pass",
        }
        self.preview: dict[str, Any] = {
            "message": message, "upstream_id": "77", "deletable": True, "comparable": True,
            "copies": [{**message, "id": "copy-1", "room": "r2"}], "senders": 1, "more": 2, "complete": False,
        }  # fmt: skip

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else None
        self.asked.append((request.method, request.path, body))
        self.tokens.add(request.headers.get("Authorization"))
        if self.refuses:
            return web.json_response(self.refuses, status=409)
        if request.path.endswith(":preview"):
            return web.json_response(self.preview)
        if request.method == "POST":
            return web.json_response({"act": 9, "result": {"id": 3}})
        return web.json_response(self.states.pop(0) if len(self.states) > 1 else self.states[0])


@pytest.fixture
async def control(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Control]:
    made = Control()
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", made.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    (tmp_path / "token").write_text("tg_first\n")
    generation = tmp_path / "generations" / "1"
    generation.mkdir(parents=True)
    (generation / "manifest.json").write_text(json.dumps({"base": str(tmp_path)}))
    (generation / "tidegate.toml").write_text(
        f'[control]\nlisten = "127.0.0.1:{runner.addresses[0][1]}"\nfirst_token = "token"\n'
        '[[routes]]\nname = "comments"\n[[routes]]\nname = "live"\nid_to = "json:/ref"\n'
    )
    (tmp_path / "generations" / "current").write_text("1")
    # What a person sees: in a pipe it would be JSON.
    monkeypatch.setattr(terminal, "for_programs", lambda as_json: as_json)
    for name in (client.TOKEN, client.TOKEN_FILE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(takedown_command, "LOOK_EVERY", 0.0)
    yield made
    await runner.cleanup()


Invoke = Callable[..., Any]


@pytest.fixture
def invoke(tmp_path: Path) -> Invoke:
    cli = typer.Typer()
    cli.command()(takedown_command.takedown)

    async def run(*arguments: str) -> Any:
        given = [*arguments, "--data-dir", str(tmp_path)]
        return await asyncio.to_thread(CliRunner().invoke, cli, given)

    return run


async def test_a_message_is_taken_down(control: Control, invoke: Invoke) -> None:
    control.states = [out("requested"), out("requested"), out("confirmed")]
    done = await invoke(MESSAGE, "--reason", " order 7 ", "--ground", "3")
    assert (done.exit_code, done.output) == (0, f"takedown 3 of {MESSAGE}: confirmed (status 204)\n")
    assert control.asked[0] == ("POST", "/v1/takedowns", {"id": MESSAGE, "reason": "order 7", "ground": "3"})
    assert [path for _, path, _ in control.asked[1:]] == ["/v1/takedowns/3"] * 3
    assert control.tokens == {"Bearer tg_first"}


async def test_ones_own_token_goes_first(control: Control, invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(client.TOKEN, "tg_own")
    assert (await invoke(MESSAGE, "--reason", "r")).exit_code == 0
    assert control.tokens == {"Bearer tg_own"}


async def test_programs_get_the_trace(control: Control, invoke: Invoke) -> None:
    done = await invoke(MESSAGE, "--reason", "r", "--json")
    told = json.loads(done.output)
    assert (done.exit_code, told["state"], told["act"], len(told["trace"])) == (0, "confirmed", 9, 2)


async def test_what_is_not_confirmed_is_a_failure(control: Control, invoke: Invoke) -> None:
    control.states = [out("unconfirmed", status=None, problem="upstream.refused")]
    done = await invoke("77", "78", "--route", "comments", "--reason", "r", "--wait", "0s")
    assert done.exit_code == 1
    assert done.output.count("unconfirmed (upstream.refused)") == 2
    assert control.asked[0][2] == {"upstream_id": "77", "route": "comments", "reason": "r"}


async def test_copies_are_shown_first(control: Control, invoke: Invoke) -> None:
    shown = await invoke(MESSAGE, "--reason", "r", "--dry-run", "--since", "2h")
    assert shown.exit_code == 0
    assert [asked[1] for asked in control.asked] == ["/v1/takedowns:preview"]
    assert control.asked[0][2]["since"] == 7200
    assert "copy  copy-1" in shown.output
    assert "3 copies of 1 senders; not everything could be read" in shown.output
    assert "\x1b" not in shown.output
    control.states[0]["copy_id"] = 5
    done = await invoke(MESSAGE, "--reason", "r", "--ground", "3", "--copies", "--refuse-for", "1h")
    assert done.exit_code == 0
    assert control.asked[2][2] == {"id": MESSAGE, "reason": "r", "refuse_copies": 3600, "ground": "3"}
    assert "undo act 9" in done.output
    control.preview |= {"comparable": False, "deletable": False}
    assert "cannot be asked" in (await invoke(MESSAGE, "--reason", "r", "--dry-run")).output


async def test_a_text_that_is_not_kept_has_no_copies_and_nothing_is_taken_down_in_their_name(
    control: Control, invoke: Invoke
) -> None:
    control.preview |= {"comparable": False}
    done = await invoke(MESSAGE, MESSAGE, "--reason", "r", "--ground", "3", "--copies")
    assert done.exit_code == 1
    assert done.output.count("its text is not in the journal") == 2  # one message does not stop the others
    assert done.output.count("it was not taken down: without --copies it can be") == 2
    assert [path for _, path, _ in control.asked] == ["/v1/takedowns:preview"] * 2


@pytest.mark.parametrize(
    ("route", "upstream_id", "shown"),
    [("comments", "77", "77"), ("comments", "", "unknown"), ("live", "", "the same as ours"), ("live", "77", "77")],
)
async def test_the_id_that_the_platform_is_asked_by_is_shown(
    control: Control, invoke: Invoke, route: str, upstream_id: str, shown: str
) -> None:
    control.preview["message"] |= {"route": route}
    control.preview["upstream_id"] = upstream_id
    assert f"(the platform's id: {shown})" in (await invoke(MESSAGE, "--reason", "r", "--dry-run")).output


async def test_refusals_are_told(control: Control, invoke: Invoke) -> None:
    control.refuses = {"detail": "Takedown 3 is about this message.", "errors": [{"where": "x", "problem": "y"}]}
    done = await invoke(MESSAGE, "--reason", "r")
    assert (done.exit_code, "Takedown 3 is about this message: x: y" in done.output) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [
        [MESSAGE, "--reason", "  "],
        [MESSAGE, "--reason", "r", "--copies"],
        [MESSAGE, "--reason", "r", "--wait", "soon"],
        [MESSAGE],
        ["--reason", "r"],
    ],
)
async def test_usage(control: Control, invoke: Invoke, arguments: list[str]) -> None:
    assert (await invoke(*arguments)).exit_code == 2
    assert control.asked == []


async def test_nobody_there(invoke: Invoke, tmp_path: Path) -> None:
    done = await invoke(MESSAGE, "--reason", "r")
    assert (done.exit_code, "--data-dir" in done.output) == (2, True)
