"""What every command of the admin API has in common."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, cast

import pytest
import typer
from typer.testing import CliRunner

from gateway.commands.admin import calling
from gateway.commands.admin.calling import Caller, Reason, asks, group, late_in, located, path, seconds, wanted
from gateway.commands.cli import COMMANDS
from gateway.commands.places import Written
from gateway.control.api import client
from gateway.control.api.client import CallRefused
from gateway.control.features import ENDPOINTS


def test_what_people_write_does_not_change_the_shape_of_a_path() -> None:
    assert path("/v1/accounts/{}", "a/../b?c=1#d%2F ü") == "/v1/accounts/a%2F..%2Fb%3Fc%3D1%23d%252F%20%C3%BC"


def test_where_control_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(typer.Exit):
        located(None, None, "")
    assert "--data-dir" in capsys.readouterr().err
    (tmp_path / "tidegate.toml").write_text('[control]\nlisten = "127.0.0.1:7001"\nfirst_token = "mine"\n')
    found = located(None, None, "")
    assert (str(found.address), found.kept) == ("http://127.0.0.1:7001", tmp_path / "mine")
    # What runs says it better than a file that was changed since.
    folder = tmp_path / "data" / "generations" / "1"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"base": str(tmp_path)}))
    (folder / "tidegate.toml").write_text('[control]\nlisten = "127.0.0.1:7002"\n')
    (tmp_path / "data" / "generations" / "current").write_text("1")
    found = located(None, None, "")
    assert (str(found.address), found.kept) == ("http://127.0.0.1:7002", tmp_path / "data" / "control" / "first-token")
    # The first person's token does not leave the machine.
    assert located(None, None, "https://ops.example").kept is None
    assert located(None, None, "http://127.0.0.1:1").kept == tmp_path / "data" / "control" / "first-token"
    (folder / "tidegate.toml").write_text("[control]\nlisten = 7\n")
    with pytest.raises(typer.Exit) as ended:
        located(None, None, "")
    assert ended.value.exit_code == 1
    with pytest.raises(typer.Exit) as ended:
        located(None, None, "nowhere")
    assert ended.value.exit_code == 2


def test_a_reason_is_asked_for_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert wanted(" order 7 ") == "order 7"
    monkeypatch.setattr(calling.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(typer, "prompt", lambda text: " because ")
    assert wanted("") == "because"
    for wrong in ("   ", "x" * 257, "two\nlines", "\x1b[31m"):  # said, and no reason: that is not asked again
        with pytest.raises(typer.Exit):
            wanted(wrong)


def test_an_empty_name_asks_nothing() -> None:
    with pytest.raises(typer.Exit) as ended:
        path("/v1/accounts/{}", "")
    assert ended.value.exit_code == 2


def test_names_that_the_configuration_does_not_have_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    written = Written({"lists": {"spam": {}, "abuse": {}}, "routes": [{"name": "live"}, {}]}, Path())
    caller = Caller(cast(client.ControlClient, None), as_json=True, written=written)
    assert caller.known("spam", "lists", "LIST") == "spam"
    for name, section, told in (
        ("spamm", "lists", "LIST: there is no “spamm” in [lists]: did you mean “spam”?"),
        ("x", "lists", "LIST: there is no “x” in [lists]: known are abuse, spam"),
        ("liv", "routes", "LIST: there is no “liv” in [routes]: did you mean “live”?"),
    ):
        with pytest.raises(typer.Exit) as ended:
            caller.known(name, section, "LIST")
        assert (ended.value.exit_code, capsys.readouterr().err) == (2, f"{told}\n")
    # Where this machine has no configuration, control says it.
    assert Caller(cast(client.ControlClient, None), as_json=True).known("x", "lists", "LIST") == "x"


def test_what_helps_is_told_for_everything_that_is_unknown() -> None:
    documented = Path("docs/admin-api.md").read_text(encoding="utf-8")
    codes = set(re.findall(r"`((?:control|review)\.[a-z_]+)`", documented))
    assert codes >= calling.REMEDIES.keys() >= {one for one in codes if one.endswith("_unknown")}
    for remedy in calling.REMEDIES.values():
        for told in re.findall(r"“tidegate ([a-z]+)", remedy):
            assert told in COMMANDS
    refused = CallRefused("control refused: There is no such block (control.block_unknown)", "control.block_unknown")
    assert calling.refusal(refused).endswith("(control.block_unknown): “tidegate blocks list” shows them")
    assert calling.refusal(CallRefused("silent")) == "silent"


def test_without_a_token_nothing_is_asked(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(client.TOKEN, "two words")
    with pytest.raises(typer.Exit) as ended:
        calling.called_by(None, None)
    assert (ended.value.exit_code, "one word of ASCII" in capsys.readouterr().err) == (2, True)


def test_that_there_is_nothing_is_told_beside_the_rows(capsys: pytest.CaptureFixture[str]) -> None:
    for as_json in (True, False):
        Caller(cast(client.ControlClient, None), as_json=as_json).rows([], (), "no such acts")
        told = capsys.readouterr()
        assert (told.err if as_json else told.out) == "no such acts\n"
        assert (told.out if as_json else told.err) == ""


def test_times() -> None:
    assert seconds("7d", "--for") == 604_800
    with pytest.raises(typer.Exit) as ended:
        seconds("soon", "--for")
    assert ended.value.exit_code == 2


def test_what_is_still_on_its_way() -> None:
    done: dict[str, Any] = {"journalled": True, "projected": True, "workers": None, "reload": None}
    assert late_in(done) == []
    late = {
        "journalled": False,
        "projected": False,
        "workers": {"worker-0": True, "worker-1": False},
        "reload": {"ok": False},
    }
    assert late_in(late) == ["the journal", "state", "worker-1", "the lists in force"]


def test_options_that_all_have_come_after_a_commands_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, bool, str]] = []
    app = group("Tried.")

    @asks(app, "one")
    async def one(caller: Caller, name: str, reason: Reason = "") -> None:
        """Does one thing."""
        told.append((name, caller.as_json, reason))

    @asks(app, "two")
    async def two(caller: Caller) -> None:
        """Does another."""

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(client.TOKEN, "tg_x")
    done = CliRunner().invoke(app, ["one", "n", "--url", "http://127.0.0.1:1", "--json", "--reason", "r"])
    assert (done.exit_code, told) == (0, [("n", True, "r")])
    assert "Does one thing." in CliRunner().invoke(app, ["one", "--help"]).output


FREE = {"/healthz", "/readyz", "/metrics", "/v1/journal:fetch"}
"""What is read by machines, balancers and other nodes."""


def test_every_endpoint_has_a_command() -> None:
    """Each path of the API stands in the source of a command, with its method."""
    commands = Path(calling.__file__).parents[1]
    source = "".join(one.read_text(encoding="utf-8") for one in commands.glob("*/*.py"))
    source = "".join(source.split())
    missing = []
    for endpoint in ENDPOINTS:
        if endpoint.path in FREE:
            continue
        written = "".join(
            "{}" if part.startswith("{") and part.endswith("}") else part for part in _parts(endpoint.path)
        )
        named = [
            f'"{endpoint.method}",path("{written}"',
            f'_decide(caller,number,path("{written}"',
            f'"{endpoint.method}","{written}"',
            f'where=path("{written}"',
        ]
        if endpoint.path in ("/v1/state:rebuild", "/v1/state:claim"):
            named = [f'"{endpoint.path}"']
        if not any(one in source for one in named):
            missing.append(f"{endpoint.method} {endpoint.path}")
    assert missing == []


def _parts(path: str) -> list[str]:
    return path.replace("{", "\n{").replace("}", "}\n").split("\n")
