"""Isso, as it comes from PyPI, and the requests of its own script."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from rig.ports import free_port
from tests.e2e.node import Node
from tests.platforms import install
from tests.platforms.acts import Acts, Edits, Enter, Told, last
from tests.platforms.presets import preset_gate
from tests.platforms.program import Program

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.quick]

PRESET = "isso"
THREAD = "/articles/7.html"
ISSO = """
[general]
dbpath = {folder}/comments.db
host = http://site.example/
max-age = 15m
[admin]
enabled = true
password = secret-of-isso
[server]
listen = http://127.0.0.1:{port}
trusted-proxies = 127.0.0.1
[guard]
enabled = true
ratelimit = 1000
direct-reply = 1000
reply-to-self = true
"""


class Visitor:
    """What ``js/app/api.js`` sends and makes of the answers, in a browser of its own at an address of its own."""

    sender = ""

    def __init__(self, node: Node, name: str, session: aiohttp.ClientSession) -> None:
        self.name = name
        self.session = session
        self._base = f"http://127.0.0.1:{node.port}"

    async def curl(self, method: str, path: str, data: Any = None) -> tuple[int, str]:
        """``curl`` of that script: everything says that it is JSON, also where there is none."""
        body = None if data is None else json.dumps(data, ensure_ascii=False)
        fields = {"Content-Type": "application/json", "Origin": "http://site.example"}
        async with self.session.request(method, self._base + path, data=body, headers=fields) as answer:
            return answer.status, await answer.text()

    async def write(self, text: str) -> Told:
        comment = {"author": self.name, "email": None, "website": None, "text": text, "parent": None, "title": "Seven",
                   "notification": 0}  # fmt: skip
        status, body = await self.curl("POST", f"/new?uri={THREAD}", comment)
        if status in (201, 202):
            return Told(True, key=str(json.loads(body)["id"]))
        return Told(False, body)

    async def change(self, key: str, text: str) -> Told:
        status, body = await self.curl("PUT", f"/id/{key}", {"text": text})
        if status == 200:
            return Told(True, key=str(json.loads(body)["id"]))
        return Told(False, "Not authorized to modify this comment!" if status == 403 else body)

    async def read(self) -> list[str]:
        status, body = await self.curl("GET", f"/?uri={THREAD}&plain=1&limit=1000")
        assert status == 200, body
        return [one["text"] for one in json.loads(body)["replies"]]

    async def known(self) -> bool:
        return (await self.curl("POST", "/count", [THREAD]))[0] == 200


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def isso(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[int]:
    """Its port."""
    programs = install.python("isso")
    folder = tmp_path_factory.mktemp("isso")
    port = free_port()
    (folder / "isso.cfg").write_text(ISSO.format(folder=folder, port=port), encoding="utf-8")
    argv = [programs / "isso", "-c", folder / "isso.cfg", "run"]
    program = Program("isso", argv, folder, f"http://127.0.0.1:{port}/config")
    await program.start()
    yield port
    await program.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node(isso: int, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Node]:
    async with preset_gate(PRESET, tmp_path_factory.mktemp("gate"), isso) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def enter(node: Node) -> AsyncIterator[Enter]:
    async with AsyncExitStack() as sessions:
        addresses: dict[str, str] = {}

        async def visitor(name: str, language: str = "en") -> Visitor:
            # Each in a network of its own: Isso takes one vote of a network.
            address = addresses.setdefault(name, f"127.1.{len(addresses) + 1}.9")
            session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(local_addr=(address, 0)),
                cookie_jar=aiohttp.CookieJar(unsafe=True),
                headers={"Accept-Language": language},
            )
            return Visitor(node, name, await sessions.enter_async_context(session))

        yield visitor


class TestIsso(Acts, Edits):
    async def test_whoever_reads_chinese_is_told_in_it(self, enter: Enter) -> None:
        told = await (await enter("wang", language="zh-CN,zh;q=0.9")).write("有人 代开发票 吗")
        assert not told.went
        assert re.match("[\u4e00-\u9fff]", told.words)

    async def test_a_visitor_is_an_address_and_nobody(self, enter: Enter, node: Node) -> None:
        await (await enter("vera")).write("vera was here")
        record = last(node)
        assert record["weak"]
        assert record["sender"].startswith("hash:")
        assert "127.1." not in json.dumps(record)

    async def test_names_are_judged_too(self, enter: Enter, node: Node) -> None:
        nick = await enter("nick")
        nick.name = "Nick 代开发票"
        assert not (await nick.write("an honest text")).went
        nick.name = "idiot"
        assert (await nick.write("a text of idiots")).went
        status, body = await nick.curl("GET", f"/?uri={THREAD}&limit=1000")
        assert status == 200
        assert "*****" in [one["author"] for one in json.loads(body)["replies"]]

    @pytest.mark.parametrize("text", ["代**开**发票", "代&#24320;发票", "代<b>开</b>发票", "代<!-- -->开发票"])
    async def test_what_markdown_makes_of_it_counts(self, enter: Enter, text: str) -> None:
        told = await (await enter(f"mark{len(text)}")).write(f"ah {text} ah")
        assert not told.went

    async def test_all_else_is_as_without_us(self, enter: Enter, node: Node, eventually: Any) -> None:
        """History, likes, counts, previews, own deletions; and the cookies by which they go."""
        lily = await enter("lily")
        before = sum(1 for one in node.records() if one["kind"] == "judged")
        told = await lily.write("lily writes *this*")
        assert told.key in [cookie.key for cookie in lily.session.cookie_jar]
        other = await enter("otto")
        assert (await other.curl("POST", f"/id/{told.key}/like"))[0] == 200
        status, body = await lily.curl("GET", f"/id/{told.key}")
        assert (status, json.loads(body)["likes"]) == (200, 1)
        assert "<em>this</em>" in json.loads(body)["text"]
        status, body = await lily.curl("POST", "/preview", {"text": "a *preview*"})
        assert (status, json.loads(body)["text"]) == (200, "<p>a <em>preview</em></p>")
        status, body = await lily.curl("POST", "/count", [THREAD, "/nowhere"])
        assert (status, json.loads(body)[1]) == (200, 0)
        assert (await other.curl("DELETE", f"/id/{told.key}"))[0] == 403  # as Isso says it
        assert (await lily.curl("DELETE", f"/id/{told.key}"))[0] == 200
        assert "lily writes *this*" not in await lily.read()
        assert sum(1 for one in node.records() if one["kind"] == "judged") == before + 1
        # Nobody waits for its record: the comment is gone already.
        await eventually(lambda: any(one["kind"] == "removal" for one in node.records()))

    async def test_who_moderates_is_logged_in(self, enter: Enter, node: Node) -> None:
        ada = await enter("ada")
        before, form = await ada.curl("GET", "/admin/"), {"password": "secret-of-isso"}
        async with ada.session.post(f"http://127.0.0.1:{node.port}/login/", data=form) as answer:
            assert answer.status == 200
        after = await ada.curl("GET", "/admin/")
        assert (before[0], after[0]) == (200, 200)
        assert 'type="password"' in before[1]
        assert 'type="password"' not in after[1]

    async def test_the_script_itself_comes_through(self, enter: Enter, isso: int) -> None:
        gary = await enter("gary")
        status, script = await gary.curl("GET", "/js/embed.min.js")
        assert status == 200
        site = f"http://127.0.0.1:{isso}"
        async with aiohttp.ClientSession(site) as session, session.get("/js/embed.min.js") as direct:
            assert await direct.text() == script
