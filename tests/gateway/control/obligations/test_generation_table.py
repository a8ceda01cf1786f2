"""The table of the generation in force over a socket: what the command tells, made once for each generation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway import config as configuration
from gateway.commands.config import app
from gateway.control.obligations import generation_table
from gateway.generation.generation import Generation
from tests.gateway.config.conftest import written as written  # noqa: PLC0414 - a fixture


@pytest.fixture
def file(written: Any) -> Any:
    return written()


async def test_it_tells_what_the_command_tells(api: Any, file: Any) -> None:
    api.plant.generation = Generation(7, configuration.load(file, environ={}), {})
    told = await api("GET", "/v1/obligations")
    assert api.status == 200
    command = json.loads(CliRunner().invoke(app, ["check", "--obligations", "--json", str(file)]).stdout)
    rows = [{**row, "means": [{**one, "live": [], "live_zh": []} for one in row["means"]]} for row in told["rows"]]
    assert rows == command["rows"]
    assert told["totals"] == command["totals"]
    assert (told["outside"], told["unjudged"], told["generation"]) == (command["outside"], command["unjudged"], 7)
    assert {row["document"] for row in told["rows"]} <= {one["id"] for one in told["documents"]}


async def test_lists_are_read_once_for_each_generation(api: Any, file: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    sizes = generation_table.list_sizes
    monkeypatch.setattr(generation_table, "list_sizes", lambda config: read.append(1) or sizes(config))
    config = configuration.load(file, environ={})
    for number in (1, 1, 2, 2):
        api.plant.generation = Generation(number, config, {})
        assert (await api("GET", "/v1/obligations"))["generation"] == number
    assert len(read) == 2
