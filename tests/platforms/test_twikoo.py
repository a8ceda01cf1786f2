"""Twikoo's function and client as published: the client is a page that is typed into, clicked, and read."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.node import Node
from tests.platforms.acts import Acts, Enter, Told, last
from tests.platforms.javascript import Failed, Person, fixtures, people
from tests.platforms.presets import preset_gate

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.quick]

PRESET = "twikoo"

PASSWORD = hashlib.md5(b"for tests only", usedforsecurity=False).hexdigest()
"""What its page sends in the place of the administrator's password."""


class Visitor(Person):
    """A browser at an address of its own."""

    sender = ""

    async def write(self, text: str) -> Told:
        return await self.told("say", text=text.replace("<", "\\<"))  # it is Markdown

    def key(self, value: Any) -> str:
        return ""

    async def read(self) -> list[str]:
        return [text_of(one["comment"]) for one in await self.ask("history")]


def text_of(comment: str) -> str:
    """A comment as people typed it: its client makes it HTML, with the marks of a printed page."""
    for given, read in (("<p>", ""), ("</p>", ""), ("&lt;", "<"), ("&gt;", ">"), ("’", "'"), ("&amp;", "&")):
        comment = comment.replace(given, read)
    return comment.strip()


programs, node = fixtures("twikoo.cjs", partial(preset_gate, PRESET), lock="twikoo")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def enter(programs: Path, node: Node) -> AsyncIterator[Enter]:
    async with people(programs, "twikoo.mjs", node.port, Visitor) as meet:

        async def visitor(name: str) -> Person:
            made = await meet(name)
            await made.ask("open")
            return made

        yield visitor


class TestTwikoo(Acts):
    async def test_a_refused_text_stays_in_its_form_with_the_reason_below(self, enter: Enter) -> None:
        fay = await enter("fay")
        assert not (await fay.write("fay has cheappills")).went
        form = await fay.ask("form")
        assert form["typed"] == "fay has cheappills"
        assert self.RULES in form["told"]
        assert (await fay.write("fay has none")).went
        assert await fay.ask("form") == {"typed": "", "told": ""}

    async def test_a_visitor_is_an_address_and_nobody(self, enter: Enter, node: Node) -> None:
        vera = await enter("vera")
        assert (await vera.write("vera was here")).went
        record = last(node)
        assert record["weak"]
        assert record["sender"].startswith("hash:")

    async def test_names_are_judged_too(self, enter: Enter) -> None:
        nick = await enter("nick")
        assert not (await nick.told("say", text="an honest text", nick="Nick 代开发票")).went
        assert (await nick.told("say", text="a text of idiots", nick="idiot")).went
        assert "*****" in [one["nick"] for one in await nick.ask("history")]

    @pytest.mark.parametrize("text", ["代**开**发票", "代&#24320;发票", "代<b>开</b>发票", "代<!-- -->开发票"])
    async def test_what_markdown_makes_of_it_counts(self, enter: Enter, text: str) -> None:
        told = await (await enter(f"mark{len(text)}")).told("say", text=f"ah {text} ah")
        assert not told.went

    async def test_what_an_administrator_changes_is_judged(self, enter: Enter, node: Node) -> None:
        max_, root = await enter("max"), await enter("root")
        await max_.write("max began with this")
        key = next(one["id"] for one in await max_.ask("history") if "max began" in one["comment"])
        await root.ask("login", digest=PASSWORD)

        async def change(text: str) -> Told:
            return await root.told("call", event="COMMENT_SET_FOR_ADMIN", more={"id": key, "set": {"comment": text}})

        assert (await change("<p>max, as root has it</p>")).went
        assert last(node)["edit"]
        assert "max, as root has it" in await max_.read()
        told = await change("<p>max has cheappills</p>")
        assert not told.went
        assert self.RULES in told.words
        assert (await change("<p>max calls you idiot</p>")).went
        assert "max calls you *****" in await max_.read()
        assert (await root.told("call", event="COMMENT_SET_FOR_ADMIN", more={"id": key, "set": {"top": True}})).went

    async def test_events_that_nobody_listed_are_refused(self, enter: Enter) -> None:
        odd = await enter("odd")
        with pytest.raises(Failed):
            await odd.ask("call", event="POST_SUBMIT", more={"comment": {"comment": "x"}})

    async def test_all_else_is_as_without_us(self, enter: Enter, node: Node) -> None:
        """History, likes, counts, the administrator's log-in and deletions."""
        lily = await enter("lily")
        await lily.write("lily writes *this*")
        before = sum(1 for one in node.records() if one["kind"] == "judged")
        one = next(one for one in await lily.ask("history") if "lily" in one["comment"])
        assert "<em>this</em>" in one["comment"]
        assert one["isOwner"]
        await lily.ask("call", event="COMMENT_LIKE", more={"id": one["id"], "type": "up"})
        assert next(item for item in await lily.ask("history") if item["id"] == one["id"])["ups"] == 1
        await lily.ask("visit")
        assert (await lily.ask("visit"))["time"] == 1
        counts = await lily.ask("call", event="GET_COMMENTS_COUNT", more={"urls": ["/post/1"]})
        assert counts["data"][0]["count"] >= 1
        root = await enter("ruth")
        await root.ask("login", digest=PASSWORD)
        listed = await root.ask("call", event="COMMENT_GET_FOR_ADMIN", more={"per": 50, "page": 1})
        assert one["id"] in [item["_id"] for item in listed["data"]]
        await lily.ask("call", event="COMMENT_DELETE_FOR_USER", more={"id": one["id"]})
        assert one["id"] not in [item["id"] for item in await lily.ask("history")]
        assert sum(1 for item in node.records() if item["kind"] == "judged") == before
