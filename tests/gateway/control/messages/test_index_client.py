"""Messages over the API: asked of the index behind its socket, and of the journal where that does not answer."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.appeals.codes import Codes
from gateway.common import channel
from gateway.control.messages import index_client
from gateway.control.messages.index_client import IndexClient
from gateway.journal.write import encoding, recovery
from gateway.journal.write.ids import Ids

CODES = Codes(b"k" * 32)


class Index:
    """What the index's process would answer. ``asked``: what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "index.sock"
        self.journal = folder / "messages"
        self.query_time: float | None = 1.0
        self.asked: list[dict[str, Any]] = []
        self.answer: dict[str, Any] = {}
        self.client = IndexClient(self.journal, self.socket, lambda: self.query_time, lambda: CODES)

    def handle(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request)
        return self.answer


@pytest.fixture
async def index(api: Any) -> AsyncIterator[Index]:
    made = Index(api.plant.folder)
    api.plant.services.features.append(made.client)
    served = await channel.serve(
        made.socket, {"search": made.handle, "message": made.handle, "status": made.handle}
    )  # fmt: skip
    yield made
    await served.close()


RECORD = {
    "v": 1, "epoch": 1, "seq": 2, "crc": "0", "kind": "judged", "id": "m1", "time": 5, "route": "comments",
    "surface": "comment", "room": "r1", "sender": "alice", "verdict": "hold", "policy": "p", "lists": {"spam": "d"},
    "findings": [{"check": "keywords", "reason": "keyword.match", "effect": "hold", "ground": "3.3"}],
    "personal": {"key": "", "plain": {"ip": "192.0.2.1"}}, "content": {"key": "", "plain": ["hello"]},
}  # fmt: skip
HELD = {"v": 1, "kind": "outcome", "id": "m1", "time": 6, "state": "held"}
STANDING = {"behind": 7, "since": "2026-11-30", "problem": ""}
PAGE = {
    "found": [
        {"at": 5, "state": "held", "record": RECORD, "events": [{"at": 6, "kind": "outcome", "state": "held"}]}
    ],
    "place": [[["node-0", "2026-11-30", 3]], ["", ""]], "complete": True, **STANDING,
}  # fmt: skip


async def acts(api: Any) -> list[tuple[str, str]]:
    return [(one["kind"], one["subject"]) for one in await api.plant.recorded() if one["kind"].startswith("message.")]


async def test_a_page(api: Any, index: Index) -> None:
    index.answer = PAGE
    told = await api("POST", "/v1/messages/search", json={"room": "r1", "text": " 微信 ", "reason": "why"})
    assert api.status == 200, told
    (found,) = told.pop("messages")
    assert found == {
        "id": "m1", "at": 5, "sent_at": 5, "route": "comments", "surface": "comment", "room": "r1", "sender": None,
        "verdict": "hold", "reasons": ["keyword.match"], "effects": ["hold"], "categories": [],
        "texts": ["hello"], "edit": False, "releases": "", "state": "held",
        "became": [{"at": 6, "kind": "outcome", "state": "held"}],
    }  # fmt: skip
    cursor = told.pop("cursor")
    assert told == {"complete": True, **STANDING}
    assert index.asked[0]["asked"] == {
        "ids": [], "sender": "", "room": "r1", "route": "", "verdict": "", "reason": "", "state": None, "text": "微信",
        "since_us": 0, "until_us": None,
    }  # fmt: skip
    assert await acts(api) == [("message.search", "messages:room=r1 text")]  # and not which text
    index.answer = {**PAGE, "found": [], "place": None}
    told = await api("POST", "/v1/messages/search", json={"cursor": cursor, "reason": "why"})
    assert (told["cursor"], index.asked[1]["place"]) == (None, PAGE["place"])
    index.answer = PAGE
    told = await api("POST", "/v1/messages/search", json={"identity": True, "sender": "alice", "reason": "why"})
    assert told["messages"][0]["sender"] == "alice"
    assert (await acts(api))[-1] == ("message.identify", "messages:sender=alice")


async def test_a_code_stands_for_a_message(api: Any, index: Index) -> None:
    index.answer = PAGE
    told = await api("POST", "/v1/messages/search", json={"code": "0123456789", "reason": "why"})
    assert (api.status, told["reason"]) == (404, "control.message_unknown")
    assert index.asked == []
    folder = index.journal / "node-0" / "0"
    folder.mkdir(parents=True)
    ids = Ids(0, 0)
    log, _ = recovery.begin(folder, ids, always=False)
    name = ids()
    log.write([encoding.fields({**RECORD, "id": name})])
    await api("POST", "/v1/messages/search", json={"code": CODES.code(name), "reason": "why"})
    assert index.asked[0]["asked"]["ids"] == [name]


async def test_the_whole_of_a_message(api: Any, index: Index) -> None:
    index.answer = {"found": {**PAGE["found"][0]}, "trail": [HELD], **STANDING}  # type: ignore[index]
    told = await api("GET", "/v1/messages/m1", params={"reason": "why"})
    assert api.status == 200, told
    assert (told["message"]["sender"], told["personal"], told["whole"]) == (None, None, True)
    assert told["trail"] == [{"kind": "outcome", "id": "m1", "time": 6, "state": "held"}]
    assert told["findings"] == RECORD["findings"]
    assert [one["kind"] for one in told["acts"]] == ["message.read"]
    told = await api("GET", "/v1/messages/m1", params={"reason": "why", "identity": "true"})
    assert (told["message"]["sender"], told["personal"]) == ("alice", {"ip": "192.0.2.1"})
    assert await acts(api) == [("message.read", "message:m1"), ("message.identify", "message:m1")]


async def test_without_the_index(api: Any, index: Index) -> None:
    index.query_time = None
    told = await api("POST", "/v1/messages/search", json={"reason": "why"})
    assert (api.status, told["reason"]) == (409, "control.index_off")
    assert await index.client.series() == {}
    told = await api("GET", "/v1/messages/m1", params={"reason": "why"})
    assert (api.status, told["reason"]) == (404, "control.message_unknown")
    folder = index.journal / "node-0" / "0"
    folder.mkdir(parents=True)
    ids = Ids(0, 0)
    log, _ = recovery.begin(folder, ids, always=False)
    name = ids()
    log.write([encoding.fields({**RECORD, "id": name}), encoding.fields({**HELD, "id": name})])
    for query_time in (None, 1.0):  # there is none, and there is one that does not know it yet
        index.query_time = query_time
        index.answer = {"found": None, **STANDING}
        told = await api("GET", f"/v1/messages/{name}", params={"reason": "why"})
        assert (told["message"]["state"], told["whole"], told["message"]["texts"]) == ("held", False, ["hello"])


async def test_an_index_that_does_not_answer(api: Any, index: Index) -> None:
    index.answer = {"error": "busy"}
    told = await api("POST", "/v1/messages/search", json={"reason": "why"})
    assert (api.status, told["reason"]) == (503, "control.index_unavailable")
    index.answer = {"problem": "disk", "behind": 3, "size": 4, "rebuilds": 1}
    assert {name: series[()] for name, series in (await index.client.series()).items()} == {
        "tidegate_index_up": 0.0, "tidegate_index_behind_bytes": 3.0, "tidegate_index_bytes": 4.0,
        "tidegate_index_rebuilds_total": 1.0,
    }  # fmt: skip
    index.socket.unlink()
    told = await api("POST", "/v1/messages/search", json={"reason": "why"})
    assert (api.status, told["reason"]) == (503, "control.index_unavailable")
    assert (await index.client.series())["tidegate_index_up"] == {(): 0.0}


async def test_what_cannot_be_asked(api: Any, index: Index) -> None:
    index.answer = PAGE
    for body in (
        {"id": "m", "code": "0123456789"}, {"since": 5, "until": 5}, {"verdict": "loud"}, {"state": "lost"},
        {"limit": 0}, {"limit": 201}, {"text": ""}, {"text": "x" * 101}, {"text": "a\x00b"}, {"since": -1},
    ):  # fmt: skip
        told = await api("POST", "/v1/messages/search", json={**body, "reason": "why"})
        assert (api.status, told["reason"]) == (400, "control.invalid"), body
    for cursor in ("x", "e30=", base64.urlsafe_b64encode(b"[1,2]").decode(), "é"):
        told = await api("POST", "/v1/messages/search", json={"cursor": cursor, "reason": "why"})
        assert (api.status, told["reason"]) == (400, "control.invalid"), cursor
    assert index.asked == []
    assert await acts(api) == []


async def test_few_searches_are_answered_at_once_and_few_wait(index: Index) -> None:
    within, most, free = 0, 0, asyncio.Event()

    async def one() -> None:
        nonlocal within, most
        async with index.client.turn():
            within += 1
            most = max(most, within)
            await free.wait()
            within -= 1

    asked = [asyncio.create_task(one()) for _ in range(index_client.WAITING + 1)]
    await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    refused = [task for task in asked if task.done()]
    assert [(task.exception().status, task.exception().reason) for task in refused] == [(503, "control.busy")]
    free.set()
    await asyncio.gather(*(task for task in asked if task not in refused))
    assert most == index_client.AT_ONCE
    await one()  # its place is free again


async def test_a_search_that_finds_no_place_is_refused_before_its_act(api: Any, index: Index) -> None:
    index.answer = PAGE
    free = asyncio.Event()

    async def holds() -> None:
        async with index.client.turn():
            await free.wait()

    held = [asyncio.create_task(holds()) for _ in range(index_client.WAITING)]
    await asyncio.sleep(0)
    told = await api("POST", "/v1/messages/search", json={"room": "r1", "reason": "why"})
    assert (api.status, told["reason"]) == (503, "control.busy") and not index.asked
    free.set()
    await asyncio.gather(*held)
    await api("POST", "/v1/messages/search", json={"room": "r1", "reason": "why"})
    assert api.status == 200 and [kind for kind, _ in await acts(api)] == ["message.search"]
