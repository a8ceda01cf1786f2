"""Waline's server and client library as published: accounts of its own, known here by asking it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from rig.ports import free_port
from tests.e2e.node import Node
from tests.platforms.acts import Acts, Edits, Enter, last
from tests.platforms.gate import FREE
from tests.platforms.javascript import Failed, Person, laid, people, server
from tests.platforms.presets import preset_gate
from tests.platforms.program import Client

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.quick]

PRESET = "waline"


class Account(Person):
    """One log-in of somebody."""

    def __init__(self, client: Client, name: str) -> None:
        super().__init__(client, name)
        self.token = ""

    async def ask(self, call: str, **given: Any) -> Any:
        return await super().ask(call, nick=self.name, **given)

    async def read(self) -> list[str]:
        return [one["text"] for one in await self.ask("history")]

    async def known(self) -> bool:
        return (await self.ask("me")).get("objectId") == self.sender and await super().known()

    async def log_in(self) -> None:
        """Waline makes the same token for the same person each time."""
        told = await self.ask("login", who=self.name)
        self.sender, self.token = told["id"], told["token"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return laid("waline", tmp_path_factory.mktemp("waline"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def waline(programs: Path) -> AsyncIterator[int]:
    """Its port."""
    port = free_port()
    async with server("waline.cjs", programs, port, "/api/comment?type=count&url=/"):
        yield port


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node(waline: int, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Node]:
    async with preset_gate(PRESET, tmp_path_factory.mktemp("gate"), waline, workers=2) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def enter(programs: Path, node: Node) -> AsyncIterator[Enter]:
    registered: set[str] = set()
    async with people(programs, "waline.mjs", node.port, Account) as meet:

        async def account(name: str, *, logged_in: bool = True) -> Person:
            if not registered:  # whoever registers first runs the site
                registered.add("root")
                await (await meet("root")).ask("register", who="root")
            made = await meet(name)
            if logged_in:
                if name not in registered:
                    registered.add(name)
                    await made.ask("register", who=name)
                await made.log_in()
            return made

        yield account


async def visitors_answer(node: Node, method: str, path: str, body: bytes, kind: str = "application/json") -> int:
    """The status of a request that no client of Waline's makes."""
    return (await node.ask(method, path, body, {"Content-Type": kind})).status


async def said_bare(node: Node, token: str, text: str) -> str:
    """What is told of a message whose token stands without "Bearer": Waline takes it, and it is another credential."""
    body = {"comment": text, "nick": "x", "url": "/post/1", "mail": "", "link": "", "ua": ""}
    fields = {"Content-Type": "application/json", "Authorization": token}
    answer = await node.ask("POST", "/api/comment", json.dumps(body).encode(), fields)
    assert answer.status == 200
    return str(answer.json()["errmsg"]).partition(".")[0]


class TestWaline(Acts, Edits):
    async def test_two_log_ins_of_one_person_are_one_person(self, enter: Enter, node: Node) -> None:
        first, second = await enter("twice"), await enter("twice")
        assert second.sender == first.sender
        told = [await (first, second)[number % 2].write(f"twice, {number}") for number in range(FREE)]
        assert all(one.went for one in told)
        assert await said_bare(node, first.token, "twice, by another credential") == "You write too fast"
        told = [await one.write("twice, once more") for one in (first, second)]
        assert not any(one.went for one in told)
        block = {"scope": "sender", "value": first.sender, "ground": "agreement 6.1", "reason": "of a test"}
        assert (await node.manage("POST", "/v1/blocks", block)).status < 300
        blocked = (await first.write("twice, blocked")).words
        assert "block" in blocked.lower(), blocked
        assert (await second.write("twice, blocked again")).words == blocked
        assert blocked.startswith(await said_bare(node, first.token, "twice, blocked by another credential"))
        assert await first.known()  # Waline has them logged in as before
        assert await second.known()

    async def test_a_visitor_writes_and_is_an_address(self, enter: Enter, node: Node) -> None:
        vera = await enter("vera", logged_in=False)
        assert (await vera.write("vera was here")).went
        record = last(node)
        assert record["weak"]
        assert record["sender"].startswith("hash:")
        assert not (await vera.write("vera has cheappills")).went

    async def test_names_are_judged_too(self, enter: Enter) -> None:
        nick = await enter("Nick 代开发票", logged_in=False)
        assert not (await nick.write("an honest text")).went
        nora = await enter("nora")
        with pytest.raises(Failed):
            await nora.ask("rename", to="nora 代开发票")
        with pytest.raises(Failed):  # a name is refused where a text is masked
            await nora.ask("rename", to="nora idiot")
        await nora.ask("rename", to="nora of another name")
        assert (await nora.write("nora has a name")).went
        assert "nora of another name" in [one["nick"] for one in await nora.ask("history")]

    @pytest.mark.parametrize("text", ["代**开**发票", "代&#24320;发票", "代<b>开</b>发票", "代<!-- -->开发票"])
    async def test_what_markdown_makes_of_it_counts(self, enter: Enter, text: str) -> None:
        told = await (await enter(f"mark{len(text)}")).write(f"ah {text} ah")
        assert not told.went

    @pytest.mark.parametrize(
        "path",
        [
            "/comment",  # as versions before had it
            "/comment/of/whatever",
            "/apicomment",  # it cuts "/api" off whatever begins with it
            "/apicomment.html",
            "/api/comment/",
            "/api/comment.html",
            "/api/comment/post",
        ],
    )
    async def test_another_address_of_its_is_no_way_around(
        self, enter: Enter, node: Node, waline: int, path: str
    ) -> None:
        reader = await enter("reader")
        for who, port, published in (("directly", waline, True), ("through", node.port, False)):
            marked = f"{who} to {path}"
            body = {"comment": f"{marked} 代开发票", "nick": "sly", "url": "/post/1", "mail": "", "link": "", "ua": ""}
            address = f"http://127.0.0.1:{port}{path}"
            async with aiohttp.ClientSession() as session, session.post(address, json=body) as answer:
                await answer.read()
            assert any(marked in text for text in await reader.read()) is published, who

    async def test_a_token_in_the_query_hides_nobody(self, enter: Enter, node: Node) -> None:
        """Waline takes it there as well, before the header: who is blocked would write as a visitor of no name."""
        quinn = await enter("quinn")
        body = {"comment": "quinn by the query", "nick": "q", "url": "/post/1", "mail": "", "link": "", "ua": ""}
        for path in (f"/api/comment?state={quinn.token}", f"/api/comment?lang=en&state={quinn.token}"):
            assert await visitors_answer(node, "POST", path, json.dumps(body).encode()) == 200
        assert not [text for text in await quinn.read() if "by the query" in text]

    async def test_forms_and_texts_are_no_way_around(self, enter: Enter, node: Node) -> None:
        form = b"comment=around+by+a+form+%E4%BB%A3%E5%BC%80%E5%8F%91%E7%A5%A8&nick=sly&url=/post/1"
        for kind in ("application/x-www-form-urlencoded", "text/plain", "text/xml", "application/json"):
            await visitors_answer(node, "POST", "/api/comment", form, kind)
        reader = await enter("reader")
        assert not [text for text in await reader.read() if "around by" in text]

    async def test_all_else_is_as_without_us(self, enter: Enter, node: Node) -> None:
        """History, likes of people and of visitors, counts, own deletions, pages and what runs the site."""
        lily, otto = await enter("lily"), await enter("otto", logged_in=False)
        key = (await lily.write("lily writes *this*")).key
        before = sum(1 for one in node.records() if one["kind"] == "judged")
        assert await otto.ask("like", id=key) == 1
        assert await lily.ask("like", id=key) == 2
        one = next(one for one in await otto.ask("history") if one["id"] == key)
        assert (one["nick"], one["like"]) == ("lily", 2)
        assert "<em>this</em>" in one["comment"]
        assert (await otto.ask("count"))[0] >= 1
        assert (await otto.ask("visit"))[0]["time"] >= 1
        with pytest.raises(Failed):
            await otto.ask("remove", id=key)
        await lily.ask("remove", id=key)
        assert key not in [one["id"] for one in await otto.ask("history")]
        assert (await node.ask("GET", "/ui/login")).status == 200
        preflight = {"Origin": "https://site.example", "Access-Control-Request-Method": "POST"}
        assert (await node.ask("OPTIONS", "/api/comment", None, preflight)).status == 204
        assert sum(1 for one in node.records() if one["kind"] == "judged") == before

    async def test_who_runs_the_site_approves_pins_and_is_judged_when_changing(self, enter: Enter, node: Node) -> None:
        max_, root = await enter("max"), await enter("root")
        key = (await max_.write("max began with this")).key
        await root.ask("administer", id=key, change={"sticky": 1})
        await root.ask("administer", id=key, change={"status": "waiting"})
        assert "max began with this" not in await (await enter("reader")).read()
        await root.ask("administer", id=key, change={"status": "approved"})
        assert (await root.change(key, "max, as root has it")).went
        assert last(node)["edit"]
        with pytest.raises(Failed):
            await root.ask("administer", id=key, change={"nick": "max 代开发票", "comment": "x"})
        with pytest.raises(Failed):
            await root.ask("administer", id=key, change={"nick": "max 代开发票"})
