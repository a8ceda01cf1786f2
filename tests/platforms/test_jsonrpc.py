"""JSON-RPC by published libraries: jayson on HTTP, json-rpc-2.0 on a WebSocket, each at both ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.node import Node
from tests.platforms.acts import Acts, Edits, Enter, last
from tests.platforms.javascript import Person, fixtures, people
from tests.platforms.presets import FRONT, preset_gate

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.quick]

PRESET = "json-rpc"


class Caller(Person):
    """Somebody logged in, with a client of either kind."""

    by = "http"

    async def ask(self, call: str, **given: Any) -> Any:
        return await super().ask(call, **{"by": self.by, "room": self.by} | given)


class OnSocket(Caller):
    by = "socket"


programs, node = fixtures("jsonrpc.cjs", partial(preset_gate, PRESET))


@asynccontextmanager
async def callers(programs: Path, node: Node, kind: type[Caller]) -> AsyncIterator[Enter]:
    async with people(programs, "jsonrpc.mjs", node.port, kind, address=FRONT) as meet:

        async def caller(name: str) -> Person:
            made = await meet(f"{kind.by}-{name}")
            await made.ask("login", who=made.name)
            return made

        yield caller


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def by_http(programs: Path, node: Node) -> AsyncIterator[Enter]:
    async with callers(programs, node, Caller) as enter:
        yield enter


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on_socket(programs: Path, node: Node) -> AsyncIterator[Enter]:
    async with callers(programs, node, OnSocket) as enter:
        yield enter


class Common(Acts, Edits):
    """What holds for both."""

    async def test_an_error_has_the_number_of_its_call_a_code_and_a_reason(self, enter: Enter, node: Node) -> None:
        rita = await enter("rita")
        failed = (await rita.client.call("say", by=rita.by, text="rita has cheappills"))["failed"]
        assert failed["code"] == -32000
        assert failed["data"] == last(node)["findings"][0]["reason"] == "keyword.match"

    @pytest.mark.parametrize(
        ("method", "params"),
        [
            ("other", {"text": "代开发票"}),
            ("message.send", {"room": "1"}),
            ("message.send", ["1", "代开发票"]),
            ("message.send", {"room": "1", "text": 7}),
        ],
    )
    async def test_what_is_not_listed_is_an_error_of_its_call(self, enter: Enter, method: str, params: Any) -> None:
        odd = await enter("odd")
        told = await odd.told("call", method=method, params=params)
        assert not told.went
        assert "within ten seconds" not in told.words
        assert await odd.known()

    async def test_all_else_is_as_without_us(self, enter: Enter, node: Node) -> None:
        ann, ben = await enter("ann"), await enter("ben")
        key = (await ann.write("ann likes likes")).key
        before = sum(1 for one in node.records() if one["kind"] == "judged")
        assert await ben.ask("like", id=key) == {"likes": 1}
        assert "ann likes likes" in await ben.read()
        assert sum(1 for one in node.records() if one["kind"] == "judged") == before


class TestJayson(Common):
    @pytest.fixture
    def enter(self, by_http: Enter) -> Enter:
        return by_http

    async def test_a_batch_is_published_whole_or_not_at_all(self, enter: Enter) -> None:
        bea = await enter("bea")

        def calls(*texts: str) -> list[dict[str, Any]]:
            return [{"method": "message.send", "params": {"room": "http", "text": text}} for text in texts]

        await bea.client.call("batch", calls=calls("bea in a batch", "bea has cheappills"))
        assert not any("bea" in text for text in await bea.read())
        await bea.client.call("batch", calls=calls("bea in a batch", "bea in the same batch"))
        shown = await bea.read()
        assert [text in shown for text in ("bea in a batch", "bea in the same batch")] == [True, True]
        assert (await bea.write("bea alone")).went


class TestOnASocket(Common):
    @pytest.fixture
    def enter(self, on_socket: Enter) -> Enter:
        return on_socket
