"""GraphQL Yoga and graphql-ws as published: urql over HTTP and event streams, the other over a WebSocket."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio

from tests.e2e.node import Node
from tests.platforms.acts import Acts, Edits, Enter
from tests.platforms.javascript import PROGRAMS, Person, fixtures, people
from tests.platforms.presets import FRONT, preset_gate

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.quick]

PRESET = "graphql"

SOURCE = (PROGRAMS / "clients" / "documents.mjs").read_text(encoding="utf-8")
DOCUMENTS = dict(re.findall(r"^export const (\w+) = `([^`]*)`;$", SOURCE, re.MULTILINE))
"""What the clients send, by name."""


class Author(Person):
    """Somebody logged in. Each client has a room of its own."""

    async def ask(self, call: str, **given: Any) -> Any:
        return await super().ask(call, **{"room": self.name.partition("-")[0]} | given)

    def key(self, value: Any) -> str:
        return str((value.get("say") or value["edit"])["id"])

    async def read(self) -> list[str]:
        return [one["text"] for one in (await self.ask("history"))["messages"]]


programs, node = fixtures("graphql.mjs", partial(preset_gate, PRESET))


@asynccontextmanager
async def authors(programs: Path, node: Node, client: str) -> AsyncIterator[Enter]:
    async with people(programs, client, node.port, Author, address=FRONT) as meet:

        async def author(name: str) -> Person:
            made = await meet(f"{client.partition('.')[0]}-{name}")
            await made.ask("login", who=made.name)
            return made

        yield author


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def over_http(programs: Path, node: Node) -> AsyncIterator[Enter]:
    async with authors(programs, node, "graphql.mjs") as enter:
        yield enter


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on_socket(programs: Path, node: Node) -> AsyncIterator[Enter]:
    async with authors(programs, node, "graphql_ws.mjs") as enter:
        yield enter


class Common(Acts, Edits):
    """What holds over HTTP and over a WebSocket alike."""

    async def test_whoever_listens_hears_each_message_at_once(self, enter: Enter) -> None:
        lena, otto = await enter("lena"), await enter("otto")
        await lena.ask("listen")
        await lena.ask("history")  # an operation behind it: it has begun
        async with asyncio.timeout(20):
            while True:  # the platform may not have the subscription yet
                await otto.write("otto has cheappills")
                assert (await otto.write("otto is an idiot")).went
                heard = [one for one in await lena.heard() if one["what"] in ("told", "error")]
                if heard:
                    break
                await asyncio.sleep(0.1)
                otto = await enter(f"otto{id(heard)}")
        assert heard[0]["what"] == "told"
        assert heard[0]["text"] == "otto is an *****"
        assert not any("cheap" in str(one) for one in heard)
        assert await lena.known()

    async def test_an_error_names_its_reason(self, enter: Enter) -> None:
        rita = await enter("rita")
        answer = await rita.client.call("say", text="rita has cheappills")
        data = answer["failed"]["data"]
        told = data[0] if isinstance(data, list) else data
        assert told["code"] == "keyword.match"

    @pytest.mark.parametrize(
        "document",
        [
            'mutation { say(room: "1", text: "代开发票") { id } }',
            'mutation Say($room: String!, $text: String!) { say(room: $room, text: "代开发票") { id text } }',
            'query Messages { messages(room: "1") { id } } mutation Say { say(room: "1", text: "代开发票") { id } }',
        ],
    )
    async def test_a_document_that_is_not_listed_is_an_error_of_its_operation(
        self, enter: Enter, document: str
    ) -> None:
        odd = await enter("odd")
        told = await odd.told("ask", document=document, variables={"room": "1", "text": "x"})
        assert not told.went
        assert "within ten seconds" not in told.words
        assert not any("代开发票" in text for text in await odd.read())
        assert await odd.known()

    async def test_all_else_is_as_without_us(self, enter: Enter, node: Node) -> None:
        ann, ben = await enter("ann"), await enter("ben")
        key = (await ann.write("ann likes likes")).key
        before = sum(1 for one in node.records() if one["kind"] == "judged")
        assert (await ben.ask("like", id=key))["like"]["likes"] == 1
        assert key in [one["id"] for one in (await ben.ask("history"))["messages"]]
        assert sum(1 for one in node.records() if one["kind"] == "judged") == before


PERSISTED = {"version": 1, "sha256Hash": hashlib.sha256(DOCUMENTS["SAY"].encode()).hexdigest()}


class TestYoga(Common):
    @pytest.fixture
    def enter(self, over_http: Enter) -> Enter:
        return over_http

    @pytest.mark.parametrize(
        "body",
        [
            [{"query": DOCUMENTS["SAY"], "variables": {"room": "graphql", "text": "代开发票"}}],
            {"query": DOCUMENTS["MESSAGES"], "operationName": "Say", "Query": DOCUMENTS["SAY"]},
            {"query": DOCUMENTS["MESSAGES"], "variables": {"room": "1"}, "extensions": {"persistedQuery": PERSISTED}},
        ],
    )
    async def test_ways_around_the_list_lead_nowhere(self, enter: Enter, node: Node, body: Any) -> None:
        sly = await enter("sly")
        fields = {"Content-Type": "application/json", "X-User-Id": "sly"}
        await node.ask("POST", "/graphql", json.dumps(body).encode(), fields)
        say = 'mutation {{ say(room: "graphql", text: "via-{}") {{ id }} }}'
        for path, kind, data in (
            (f"/graphql?query={quote(say.format('query'))}", "application/json", b"{}"),
            ("/graphql", "application/graphql", say.format("graphql").encode()),
            ("/graphql", "application/x-www-form-urlencoded", f"query={quote(say.format('form'))}".encode()),
        ):
            assert (await node.ask("POST", path, data, fields | {"Content-Type": kind})).status in (200, 400)
        assert not [text for text in await sly.read() if text.startswith("via-") or "代开发票" in text]


class TestGraphqlWs(Common):
    @pytest.fixture
    def enter(self, on_socket: Enter) -> Enter:
        return on_socket

    async def test_pings_are_answered_and_the_socket_outlives_a_mute(self, enter: Enter) -> None:
        moe = await enter("moe")
        told = [await moe.write(f"moe {number} cheappills") for number in range(20)]
        assert not any(one.went for one in told)
        await moe.heard()
        await moe.hears(what="pong")
        assert await moe.known()
