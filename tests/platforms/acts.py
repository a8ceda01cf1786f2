"""What is done on every platform, by its own client: one class, of which each platform makes its own.

A module of a platform has a fixture ``enter``, which makes somebody known to the platform (an account and a log-in, a
socket, a browser) and gives the ``Person``; a fixture ``node``; and ``class TestNAME(Acts)``, with ``Edits`` where
there are any, which adds what only that platform has: uploads, streams, addresses that lead around.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol

import pytest

from tests.e2e.node import Node
from tests.platforms.gate import FREE

DISGUISES = ("代\u200b开\u2060发\u200b票", "代開發票", "ｃｈｅａｐｐｉｌｌｓ", "c.h.e.a.p.p.i.l.l.s")


class Told(NamedTuple):
    """What the client makes of an answer. ``went``: it takes the message for published, under ``key``; else ``words``
    are what it has to show."""

    went: bool
    words: str = ""
    key: str = ""


class Person(Protocol):
    """Somebody at a client of the platform. ``sender``: by what name the journal knows them; empty: a digest."""

    sender: str

    async def write(self, text: str) -> Told:
        """A message, where everybody writes."""

    async def change(self, key: str, text: str) -> Told:
        """Another text for an own message."""

    async def read(self) -> list[str]:
        """The texts that are there for all, as people see them."""

    async def known(self) -> bool:
        """Whether client and platform still take them for who they were: logged in, connected."""


Enter = Callable[..., Awaitable[Any]]
"""By a name; the same name again is another log-in of the same person."""


def last(node: Node) -> dict[str, Any]:
    """The record of the message that was judged last."""
    return max((one for one in node.records() if one["kind"] == "judged"), key=lambda one: (one["time"], one["id"]))


class Acts:
    """The list. ``RULES``: what a client shows of a text that breaks the rules, and ``OFTEN`` of one too many."""

    RULES = "The text breaks the rules"
    OFTEN = "You write too fast"

    async def test_a_clean_message_is_published(self, enter: Enter, node: Node) -> None:
        alice = await enter("alice")
        told = await alice.write("Hello, 大家好 – it's <fine> & well")
        assert told.went, told
        bob = await enter("bob")
        assert "Hello, 大家好 – it's <fine> & well" in await bob.read()
        record = last(node)
        assert (record["verdict"], record.get("edit")) == ("pass", None)
        assert record["sender"] == alice.sender or record["sender"].startswith("hash:")

    async def test_a_denied_one_is_refused_and_its_client_lives(self, enter: Enter, node: Node) -> None:
        dan = await enter("dan")
        told = await dan.write("我们 代开发票 today")
        assert not told.went
        assert self.RULES in told.words
        assert not any("today" in text for text in await dan.read())
        record = last(node)
        assert (record["verdict"], record["findings"][0]["reason"]) == ("reject", "keyword.match")
        assert await dan.known()
        told = await dan.write("dan is still here")
        assert told.went, told
        assert "dan is still here" in await dan.read()

    async def test_a_masked_one_is_published_masked(self, enter: Enter, node: Node) -> None:
        mia = await enter("mia")
        told = await mia.write("mia says idiot to them")
        assert told.went, told
        assert "mia says ***** to them" in await mia.read()
        record = last(node)
        assert (record["verdict"], record["findings"][0]["effect"]) == ("pass", "mask")
        assert await mia.known()

    @pytest.mark.parametrize("word", DISGUISES)
    async def test_a_disguise_is_caught(self, enter: Enter, word: str) -> None:
        sly = await enter(f"sly{DISGUISES.index(word)}")
        told = await sly.write(f"psst {word} psst")
        assert not told.went, told
        assert self.RULES in told.words
        assert not any("psst" in text for text in await sly.read())
        assert await sly.known()

    async def test_a_flood_is_limited(self, enter: Enter) -> None:
        floyd = await enter("floyd")
        told = [await floyd.write(f"flood {number} of words") for number in range(FREE + 3)]
        assert [one.went for one in told] == [True] * FREE + [False] * 3
        assert self.OFTEN in told[-1].words
        assert len([text for text in await floyd.read() if text.startswith("flood ")]) == FREE
        assert await floyd.known()
        other = await enter("olga")
        assert (await other.write("olga is not floyd")).went


class Edits:
    """For platforms whose people can change what they wrote. ``EDIT_RULES``: what a client shows of a change that
    breaks the rules."""

    EDIT_RULES = Acts.RULES

    async def test_edits_are_judged(self, enter: Enter, node: Node) -> None:
        eve = await enter("eve")
        key = (await eve.write("eve began with this")).key
        told = await eve.change(key, "eve said it anew")
        assert told.went, told
        assert "eve said it anew" in await eve.read()
        assert last(node)["edit"]
        told = await eve.change(key, "eve has cheappills")
        assert not told.went
        assert self.EDIT_RULES in told.words
        assert last(node)["verdict"] == "reject"
        texts = await eve.read()
        assert "eve said it anew" in texts
        assert not any("cheap" in text for text in texts)
        assert (await eve.change(key, "eve calls you idiot")).went
        assert "eve calls you *****" in await eve.read()
        assert await eve.known()
