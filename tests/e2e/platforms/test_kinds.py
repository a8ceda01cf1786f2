"""One address with many events, as Twikoo and GraphQL have it, through a whole node."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.lab import Lab, lab
from tests.e2e.node import Answer

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAY = "mutation($text: String!) { say(text: $text) { id } }"
READ = "query { comments { text } }"
MORE = f"""
[policies.names]
appeal = "off"
rules = [{{ check = "keywords", action = "mask", on_error = "reject", ground = "agreement 3.4", lists = ["spam"] }}]
[[routes]]
name = "events"
match = "POST /events"
surface = "comment"
upstream = "platform"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
room = ["json:/url", "{{json:/site}}:{{json:/page}}"]
[[routes.messages]]
when = {{ "json:/event" = "SUBMIT" }}
text = "json:/comment"
[[routes.messages]]
when = {{ "json:/event" = {{ prefix = "NAME_" }} }}
text = "json:/nick"
policy = "names"
edit = true
[[routes.messages]]
when = {{ "json:/event" = ["COUNT", "LOGIN"] }}
relay = true
[[routes]]
name = "graphql"
match = "POST /graphql"
surface = "comment"
upstream = "platform"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
room = "json:/variables/room"
[[routes.messages]]
when = {{ "json:/query" = "{SAY}" }}
text = "json:/variables/text"
[[routes.messages]]
when = {{ "json:/query" = "{READ}" }}
relay = true
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    async with lab(tmp_path_factory.mktemp("kinds"), server='unmatched_upstream = "platform"', more=MORE) as made:
        await made.invite(20)
        yield made
        await made.sound()


async def ask(gate: Lab, path: str, body: object) -> Answer:
    fields = {"X-User-Id": next(gate.people), "Content-Type": "application/json"}
    return await gate.node.ask("POST", path, json.dumps(body).encode(), fields)


async def test_each_event_is_judged_as_its_kind_says(gate: Lab) -> None:
    good = await ask(gate, "/events", {"event": "SUBMIT", "comment": "hello", "url": "/a"})
    bad = await ask(gate, "/events", {"event": "SUBMIT", "comment": "代开发票", "site": "s", "page": 3})
    name = await ask(gate, "/events", {"event": "NAME_SET", "nick": "代开发票", "url": "/a"})
    assert (good.status, bad.status, name.status) == (201, 403, 201)
    assert json.loads(gate.upstream.received[-1].body)["nick"] == "****"
    judged = gate.verdicts()
    told = [judged[answer.headers["tidegate-message-id"]] for answer in (good, bad, name)]
    assert [one["room"] for one in told] == ["/a", "s:3", "/a"]
    assert [one["verdict"] for one in told] == ["pass", "reject", "pass"]
    assert [bool(one.get("edit")) for one in told] == [False, False, True]
    assert told[0]["policy"] == told[1]["policy"] != told[2]["policy"]


async def test_what_is_no_message_goes_by_and_what_is_unknown_does_not(gate: Lab) -> None:
    before = len(gate.upstream.received)
    counted = await ask(gate, "/events", {"event": "COUNT", "comment": "代开发票"})
    assert (counted.status, len(gate.upstream.received)) == (201, before + 1)
    assert "tidegate-message-id" not in counted.headers
    for body in ({"event": "OTHER", "comment": "x"}, {"comment": "x"}, [{"event": "COUNT"}]):
        refused = await ask(gate, "/events", body)
        assert (refused.status, refused.json()["reason"]) == (400, "frame.unknown")
    assert len(gate.upstream.received) == before + 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"query": READ}, 201),
        ({"query": SAY, "variables": {"text": "hello", "room": "1"}}, 201),
        ({"query": SAY, "variables": {"text": "代开发票", "room": "1"}}, 403),
        ({"query": f"{READ} {SAY}", "operationName": "", "variables": {"text": "x", "room": "1"}}, 400),
        ({"query": SAY + " ", "variables": {"text": "x", "room": "1"}}, 400),
        ([{"query": SAY, "variables": {"text": "x", "room": "1"}}], 400),
        ({"Query": SAY, "query": READ}, 400),
    ],
)
async def test_documents_of_graphql_are_listed(gate: Lab, body: object, status: int) -> None:
    assert (await ask(gate, "/graphql", body)).status == status
