"""Accounts: an import tells what is wrong with each line that was refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.commands.admin.accounts import app
from gateway.control.api import client

ANSWER = {
    "done": True, "lines": 2, "accepted": 0, "refused": 2, "stopped": "", "in_force": True,
    "errors": [
        {"line": 1, "problems": [{"where": "verified", "problem": "Field required"},
                                 {"where": "credit", "problem": "Input should be less than or equal to 100"}]},
        {"line": 2, "problems": [{"where": "", "problem": "Invalid JSON\x1b[31m"}]},
    ],
}  # fmt: skip
"""As control answers it: ``gateway.control.accounts.schemas.ImportLine``."""


def test_what_is_wrong_with_each_line_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def stream(self: object, method: str, path: str, data: Any, query: Any) -> AsyncIterator[dict[str, Any]]:
        assert (method, path, query) == ("POST", "/v1/accounts:import", {"reason": "r"})
        assert [chunk async for chunk in data] == [b"{}\n[\n"]
        yield {"lines": 1}
        yield ANSWER

    monkeypatch.setattr(client.ControlClient, "stream", stream)
    monkeypatch.setenv(client.TOKEN, "tg_x")
    file = tmp_path / "people.ndjson"
    file.write_bytes(b"{}\n[\n")
    done = CliRunner().invoke(app, ["import", str(file), "--reason", "r", "--url", "http://127.0.0.1:1"])
    assert done.exit_code == 1
    assert done.stderr.splitlines() == [
        f"{file}: line 1: verified: Field required; credit: should be less than or equal to 100",
        f"{file}: line 2: Invalid JSON\N{REPLACEMENT CHARACTER}[31m",
    ]
