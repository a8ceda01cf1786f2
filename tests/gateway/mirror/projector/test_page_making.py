"""Whether this node closes pages, by what its replicator says of the others."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.common import channel
from gateway.config.sections.journal import Journal
from gateway.mirror.projector.page_making import AWAY, PageMaking

HERE = {"lag": 0.5, "cause": ""}
GONE = {"lag": AWAY + 1, "cause": "away"}
BEGINS = {"lag": 0.0, "cause": "starting"}
COPIED = {"lag": AWAY + 1, "cause": ""}  # from the beginning, which takes its time


def config(own: int, *peers: int) -> Any:
    named = {
        f"n{peer}": {"url": f"http://127.0.0.1:{9000 + peer}", "node": peer, "token": "tg_" + "x" * 40}
        for peer in peers
    }
    section = Journal.model_validate({"replicas": {"peers": named}} if peers else {})
    return SimpleNamespace(journal=section, server=SimpleNamespace(node=own))


async def test_a_node_by_itself_asks_nobody(tmp_path: Path) -> None:
    making = PageMaking(tmp_path / "none.sock", lambda: config(1))
    await making.look()
    assert (making.makes, making.current) == (True, True)


@pytest.mark.parametrize(
    ("own", "told", "makes", "current"),
    [
        (1, {2: HERE}, True, True),
        (2, {1: HERE}, False, True),
        (2, {1: GONE}, True, True),
        (1, {2: GONE}, True, True),
        (1, {2: BEGINS}, False, False),  # it may have closed pages while we were away
        (1, {2: COPIED}, False, False),
        (2, {1: HERE, 3: GONE}, False, True),
        (3, {1: GONE, 2: HERE}, False, True),
        (3, {1: GONE, 2: GONE}, True, True),
    ],
)
async def test_the_lowest_of_those_that_are_there(
    tmp_path: Path, own: int, told: dict[int, Any], makes: bool, current: bool
) -> None:
    async def status(_request: dict[str, Any]) -> dict[str, Any]:
        return {"ok": True, "peers": {f"n{node}": {"node": node, **how} for node, how in told.items()}}

    making = PageMaking(tmp_path / "r.sock", lambda: config(own, *told))
    await making.look()
    assert (making.makes, making.current) == (False, False)  # nobody has answered yet
    server = await channel.serve(tmp_path / "r.sock", {"status": status})
    await making.look()
    assert (making.makes, making.current) == (makes, current)
    await server.close()
    await making.look()
    assert (making.makes, making.current) == (makes, current)  # it stays as it was


async def test_one_that_lags_later_holds_up_no_page(tmp_path: Path) -> None:
    how = dict(HERE)

    async def status(_request: dict[str, Any]) -> dict[str, Any]:
        return {"ok": True, "peers": {"n2": {"node": 2, **how}}}

    making = PageMaking(tmp_path / "r.sock", lambda: config(1, 2))
    server = await channel.serve(tmp_path / "r.sock", {"status": status})
    await making.look()
    how |= COPIED
    await making.look()
    assert (making.makes, making.current) == (True, False)
    await server.close()
