"""One of each thing that people change, on one of two nodes: how long until it is in force on the other."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio

from rig.postgresql import Postgres
from tests.e2e.nodes.cluster import Cluster, running, soon

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600), pytest.mark.whole]

COMPILED = 90.0  # seconds: a list is compiled first, on a machine with much else to do
GROUND = "agreement 6.1"
MORE = """
[policies.all]
appeal = "off"
rules = [
  { check = "identity", action = "reject", on_error = "reject", ground = "agreement 2.1" },
  { check = "block",    action = "reject", on_error = "reject", ground = "agreement 6.1" },
  { check = "room",     action = "reject", on_error = "reject", ground = "agreement 6.4" },
  { check = "keywords", action = "reject", on_error = "reject", ground = "agreement 3.1", lists = ["spam"] },
]
[[routes]]
name = "all"
match = "POST /api/all/{room}/comments"
surface = "comment"
upstream = "platform"
policy = "all"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> AsyncIterator[Cluster]:
    """``postgres`` says whether there is one here; this one is the pair's own."""
    async with running(tmp_path_factory.mktemp("o"), more=MORE) as made:
        for sender in ("ann", "cy"):
            await made.done(1, "PUT", f"/v1/accounts/{sender}", {"verified": True, "reason": "papers"})
        yield made


class Changes:
    """``here`` does, ``there`` is looked at."""

    def __init__(self, pair: Cluster, here: int) -> None:
        self.pair, self.here, self.there = pair, here, 3 - here
        self.took: dict[str, float] = {}

    async def said(self, sender: str, wanted: int, room: str = "1", text: str = "hello") -> bool:
        node = self.pair.nodes[self.there]
        return (await node.say(sender, text, f"/api/all/{room}/comments")).status == wanted

    async def opens(self, token: str, wanted: int) -> bool:
        return (await self.pair.ask(self.there, "GET", "/v1/me", token=token)).status == wanted

    async def does(self, what: str, method: str, path: str, body: Any, true: Callable[[], Awaitable[bool]]) -> Any:
        """An act here, and the time until ``true`` there, from the moment in which it was answered."""
        given = body if body is None else {**body, "reason": "one of each"}
        answer = await self.pair.ask(self.here, method, path, given)
        assert answer.status in (200, 202), answer
        since = time.monotonic()
        await soon(true, COMPILED)
        self.took[what] = time.monotonic() - since
        return answer.json()["result"]


def why(path: str, **more: str) -> str:
    return f"{path}?reason=over" + "".join(f"&{name}={quote(value)}" for name, value in more.items())


@pytest.mark.parametrize("here", [1, 2])
async def test_one_of_each(pair: Cluster, here: int) -> None:
    one, blocks = Changes(pair, here), "/v1/blocks"
    body: dict[str, Any] = {"scope": "sender", "value": "ann", "ground": GROUND}
    made = await one.does("block", "POST", blocks, body, lambda: one.said("ann", 403))
    await one.does("block lifted", "DELETE", why(f"{blocks}/{made['id']}"), None, lambda: one.said("ann", 201))
    made = await one.does(
        "range blocked", "POST", blocks, {"scope": "cidr", "value": "127.0.0.0/8", "ground": GROUND, "limited": False},
        lambda: one.said("cy", 403),
    )  # fmt: skip
    await one.does("range lifted", "DELETE", why(f"{blocks}/{made['id']}"), None, lambda: one.said("cy", 201))
    account = f"/v1/accounts/eve-{here}"
    await one.does("account", "PUT", account, {"verified": True}, lambda: one.said(f"eve-{here}", 201))
    await one.does("account forgotten", "DELETE", why(account), None, lambda: one.said(f"eve-{here}", 403))
    closed, opened = {"status": "closed"}, {"status": "open"}
    await one.does("room closed", "PUT", "/v1/rooms/9", closed, lambda: one.said("ann", 403, "9"))
    await one.does("room opened", "PUT", "/v1/rooms/9", opened, lambda: one.said("ann", 201, "9"))
    freeze = {"scope": "room", "value": "8", "ground": GROUND}
    made = await one.does("switch", "POST", "/v1/switches", freeze, lambda: one.said("ann", 403, "8"))
    await one.does(
        "switch lifted", "DELETE", why(f"/v1/switches/{made['id']}"), None, lambda: one.said("ann", 201, "8")
    )
    word, says = {"word": "紧急词", "ground": GROUND}, "有紧急词了"
    made = await one.does("urgent word", "POST", "/v1/urgent-words", word, lambda: one.said("ann", 403, text=says))
    path = why(f"/v1/urgent-words/{made['id']}")
    await one.does("urgent word lifted", "DELETE", path, None, lambda: one.said("ann", 201, text=says))
    made = await one.does(
        "token", "POST", "/v1/tokens", {"name": "sync", "scopes": ["status:read"]}, lambda: _there(one, "sync")
    )
    assert await one.opens(made["token"], 200)
    await one.does("token revoked", "DELETE", why("/v1/tokens/sync"), None, lambda: one.opens(made["token"], 401))
    person = await one.does("person", "POST", "/v1/people", {"name": "bo", "roles": ["viewer"]}, lambda: _met(one))
    token = person["token"]
    await soon(lambda: one.opens(token, 200))
    roles = {"roles": ["auditor"]}
    await one.does("roles", "PUT", "/v1/people/bo/roles", roles, lambda: _has(one, token, "auditor"))
    await one.does("person removed", "DELETE", why("/v1/people/bo"), None, lambda: one.opens(token, 401))
    lists = "/v1/lists/spam/words"
    await one.does("word in a list", "POST", lists, {"line": "卖号"}, lambda: one.said("ann", 403, text="卖号啦"))
    path = why(lists, line="卖号")
    await one.does("word taken back", "DELETE", path, None, lambda: one.said("ann", 201, text="卖号啦"))

    async def same() -> bool:
        told = (await pair.ask(one.there, "GET", "/v1/nodes")).json()["nodes"]
        return not any(node["older"] for node in told)

    await soon(same, COMPILED)
    assert (await pair.detail(one.there, "node"))["detail"] == ""
    print(f"\nfrom node {here}: " + ", ".join(f"{what} {took * 1000:.0f} ms" for what, took in one.took.items()))


async def _there(one: Changes, name: str) -> bool:
    told = (await one.pair.ask(one.there, "GET", "/v1/tokens")).json()["tokens"]
    return any(token["name"] == name for token in told)


async def _met(one: Changes) -> bool:
    told = (await one.pair.ask(one.there, "GET", "/v1/people")).json()["people"]
    return any(person["name"] == "bo" for person in told)


async def _has(one: Changes, token: str, role: str) -> bool:
    answer = await one.pair.ask(one.there, "GET", "/v1/me", token=token)
    return answer.status == 200 and answer.json()["roles"] == [role]
