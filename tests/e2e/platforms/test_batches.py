"""Several messages of one request through a whole node: batches of JSON-RPC and GraphQL, lists, names of files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.lab import Lab, lab
from tests.e2e.node import Answer, request
from tests.e2e.wire import wire

pytestmark = pytest.mark.asyncio(loop_scope="module")

BAD = "代开发票"
SAY = "mutation($text: String!) { say(text: $text) { id } }"
READ = "query { comments { text } }"
COMMON = """
surface = "comment"
upstream = "platform"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
"""
MORE = f"""
[policies.masking]
appeal = "off"
rules = [{{ check = "keywords", action = "mask", on_error = "reject", ground = "agreement 3.4", lists = ["spam"] }}]
[policies.few]
appeal = "off"
rules = [
  {{ check = "limit", action = "reject", on_error = "reject", ground = "agreement 4.2", limits = ["sender 5/1h"] }},
  {{ check = "repeats", action = "reject", on_error = "reject", ground = "agreement 4.3", limit = "1/1h" }},
  {{ check = "keywords", action = "reject", on_error = "reject", ground = "agreement 3.1", lists = ["spam"] }},
]
[[routes]]
name = "rpc"
match = "POST /rpc"
each = "/*"
room = "json:/params/room"
{COMMON}
[[routes.messages]]
when = {{ "json:/method" = "say" }}
text = "json:/params/text"
[[routes.messages]]
when = {{ "json:/method" = "name" }}
text = "json:/params/name"
policy = "masking"
edit = true
[[routes.messages]]
when = {{ "json:/method" = "count" }}
relay = true
[[routes.refusal]]
status = 200
body = {{ jsonrpc = "2.0", id = "{{json:/id}}", error = {{ code = -32000, data = "{{reason}}" }} }}
[[routes]]
name = "graphql"
match = "POST /graphql"
each = "/*"
room = "json:/variables/room"
cut_refused = true
{COMMON}
[[routes.messages]]
when = {{ "json:/query" = "{SAY}" }}
text = "json:/variables/text"
[[routes.messages]]
when = {{ "json:/query" = "{READ}" }}
relay = true
[[routes]]
name = "events"
match = "POST /events/{{room}}"
each = "/events/*"
max_elements = 40
id_to = "json:/our_id"
text = "json:/body"
{COMMON}
[[routes]]
name = "few"
match = "POST /few/{{room}}"
each = "/*"
text = "json:/body"
{COMMON.replace('"comment"', '"few"', 2).replace('"few"', '"comment"', 1)}
[[routes]]
name = "blocks"
match = "POST /blocks/{{room}}"
text = ["json:/title", "json:/blocks/*/text"]
{COMMON.replace('policy = "comment"', 'policy = "masking"')}
[[routes]]
name = "uploads"
match = "POST /uploads/{{room}}/**"
text = ["form:msg", "filename:photo"]
{COMMON}
[[routes]]
name = "names"
match = "POST /uploads/{{room}}/named"
text = ["form:msg", "filename:*"]
{COMMON.replace('policy = "comment"', 'policy = "masking"')}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    async with lab(tmp_path_factory.mktemp("batches"), more=MORE) as made:
        await made.invite(60)
        yield made
        await made.sound(BAD)


async def ask(gate: Lab, path: str, body: object, who: str = "") -> Answer:
    fields = {"X-User-Id": who or next(gate.people), "Content-Type": "application/json"}
    return await gate.node.ask("POST", path, json.dumps(body).encode(), fields)


def call(number: object, text: str, method: str = "say") -> dict[str, Any]:
    key = {"say": "text", "name": "name"}.get(method, "of")
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": {key: text, "room": "r"}}


def ids(answer: Answer) -> list[str]:
    return answer.headers["tidegate-message-id"].split(", ")


async def test_a_batch_of_calls_is_so_many_messages(gate: Lab) -> None:
    batch = [call(1, "hello"), call(2, BAD, "name"), call(3, "", "count"), call(4, "again")]
    answer = await ask(gate, "/rpc", batch)
    assert (answer.status, answer.headers["tidegate-verdict"]) == (201, "mask")
    received = gate.upstream.received[-1]
    assert json.loads(received.body) == [batch[0], call(2, "****", "name"), batch[2], batch[3]]
    assert received.message_id == answer.headers["tidegate-message-id"]
    assert len(ids(answer)) == 3
    judged = gate.verdicts()
    told = [judged[one] for one in ids(answer)]
    assert [one["content"]["plain"] for one in told] == [["hello"], [BAD], ["again"]]
    assert [bool(one.get("edit")) for one in told] == [False, True, False]
    assert told[0]["policy"] == told[2]["policy"] != told[1]["policy"]
    for one in ids(answer):
        assert (await gate.outcome(one))["state"] == "delivered"


async def test_a_single_call_at_the_same_address_is_one(gate: Lab) -> None:
    assert (await ask(gate, "/rpc", call(1, "hello"))).status == 201
    refused = await ask(gate, "/rpc", call(7, BAD))
    assert (refused.status, refused.json()["id"], refused.json()["error"]["data"]) == (200, 7, "keyword.match")


async def test_one_refused_call_refuses_the_batch_and_each_is_answered(gate: Lab) -> None:
    before = len(gate.upstream.received)
    answer = await ask(gate, "/rpc", [call("a", "withheld"), call("b", BAD), call("c", "", "count")])
    assert answer.status == 200
    assert [(one["id"], one["error"]["data"]) for one in answer.json()] == [
        ("a", "batch.refused"), ("b", "keyword.match"), ("c", "batch.refused"),
    ]  # fmt: skip
    assert len(gate.upstream.received) == before
    refused = answer.headers["tidegate-message-id"]
    judged = gate.verdicts()
    assert judged[refused]["verdict"] == "reject"
    (passed,) = [one for one in judged.values() if one["content"]["plain"] == ["withheld"]]
    outcome = await gate.outcome(passed["id"])
    assert (passed["verdict"], outcome["state"], outcome["reason"]) == ("pass", "failed", "batch.refused")


async def test_an_unknown_call_refuses_all_before_anything_is_judged(gate: Lab) -> None:
    before = len(gate.upstream.received), len(gate.verdicts())
    answer = await ask(gate, "/rpc", [call(1, "hello"), {"jsonrpc": "2.0", "id": 2, "method": "other"}])
    assert answer.json()["error"]["data"] == "frame.unknown"
    assert (len(gate.upstream.received), len(gate.verdicts())) == before


async def test_refused_operations_are_cut_out_where_the_route_says_so(gate: Lab) -> None:
    def say(text: str) -> dict[str, Any]:
        return {"query": SAY, "variables": {"text": text, "room": "1"}}

    read = {"query": READ}
    answer = await ask(gate, "/graphql", [say("one"), say(BAD), read, say("three")])
    assert answer.status == 201
    assert json.loads(gate.upstream.received[-1].body) == [say("one"), read, say("three")]
    place, reason, number = answer.headers["tidegate-refused"].split(";")
    assert (place, reason) == ("1", 'reason="keyword.match"')
    judged = gate.verdicts()
    assert judged[number[4:-1]]["verdict"] == "reject"
    assert [judged[one]["content"]["plain"] for one in ids(answer)] == [["one"], ["three"]]
    # Where only what is read is left, it goes on alone; where nothing is, the request is refused.
    answer = await ask(gate, "/graphql", [say(BAD), read])
    assert (answer.status, json.loads(gate.upstream.received[-1].body)) == (201, [read])
    assert "tidegate-message-id" not in answer.headers
    answer = await ask(gate, "/graphql", [say(BAD), say(BAD)])
    assert (answer.status, answer.json()["reason"]) == (403, "keyword.match")
    assert (await ask(gate, "/graphql", [read, read])).status == 201
    assert (await ask(gate, "/graphql", say("single"))).status == 201


async def test_elements_within_an_object(gate: Lab) -> None:
    body = {"of": "x", "events": [{"body": "one"}, {"body": "two"}]}
    answer = await ask(gate, "/events/7", body)
    assert answer.status == 201
    received = json.loads(gate.upstream.received[-1].body)
    assert [one["our_id"] for one in received["events"]] == ids(answer)
    judged = gate.verdicts()
    assert [judged[one]["room"] for one in ids(answer)] == ["7", "7"]
    refused = await ask(gate, "/events/7", {"events": [{"body": "one"}, {"body": BAD}]})
    assert (refused.status, refused.json()["reason"]) == (403, "keyword.match")


async def test_more_than_one_call_of_state_holds(gate: Lab) -> None:
    events = [{"body": f"event {at}"} for at in range(40)]
    answer = await ask(gate, "/events/7", {"events": events})
    assert (answer.status, len(set(ids(answer)))) == (201, 40)
    before = len(gate.verdicts())
    for language, title in (("en", "An array in the document has too many elements"), ("zh", "文档中数组的元素过多")):
        fields = {"X-User-Id": "alice", "Content-Type": "application/json", "Accept-Language": language}
        body = json.dumps({"events": [*events, {"body": "one more"}]}).encode()
        refused = await gate.node.ask("POST", "/events/7", body, fields)
        assert (refused.status, refused.json()["reason"], refused.json()["title"]) == (413, "body.too_many", title)
    assert len(gate.verdicts()) == before


async def test_limits_and_repeats_count_each(gate: Lab) -> None:
    who = next(gate.people)
    answer = await ask(gate, "/few/1", [{"body": f"a {at}"} for at in range(4)], who)
    assert answer.status == 201
    refused = await ask(gate, "/few/1", [{"body": "b 1"}, {"body": "b 2"}], who)
    assert (refused.status, refused.json()["reason"]) == (429, "limit.sender")
    other = next(gate.people)
    refused = await ask(gate, "/few/1", [{"body": "same text"}, {"body": BAD}], other)
    assert (refused.status, refused.json()["reason"]) == (403, "keyword.match")
    # The one that passed and was withheld is no repeat when it comes again, and then it is.
    assert (await ask(gate, "/few/1", [{"body": "same text"}], other)).status == 201
    twice = await ask(gate, "/few/1", [{"body": "other text"}, {"body": "same text"}], other)
    assert (twice.status, twice.json()["reason"]) == (429, "repeat.sender")


async def test_a_platform_that_takes_none_is_told_of_all(gate: Lab) -> None:
    async def unwilling(_: object, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    behave, gate.upstream.behave = gate.upstream.behave, unwilling
    try:
        answer = await ask(gate, "/events/7", {"events": [{"body": "one"}, {"body": "two"}]})
    finally:
        gate.upstream.behave = behave
    assert answer.status == 500
    assert [(await gate.outcome(one))["state"] for one in ids(answer)] == ["refused", "refused"]


async def test_every_text_of_an_array_is_judged(gate: Lab) -> None:
    body = {"title": "t", "blocks": [{"text": "fine"}, {"image": "x"}, {"text": f"a {BAD}"}]}
    answer = await ask(gate, "/blocks/1", body)
    assert (answer.status, answer.headers["tidegate-verdict"]) == (201, "mask")
    body["blocks"][2]["text"] = "a ****"  # type: ignore[index]
    assert json.loads(gate.upstream.received[-1].body) == body
    assert gate.judged(ids(answer)[0])["content"]["plain"] == ["t", "fine", "", f"a {BAD}"]
    for odd in ({"0": {"text": BAD}}, "x", [BAD], [[{"text": BAD}]]):
        assert (await ask(gate, "/blocks/1", {"title": "t", "blocks": odd})).status == 400, odd


def form(called: str) -> bytes:
    return (
        f'--B\r\nContent-Disposition: form-data; name="msg"\r\n\r\nhello\r\n--B\r\n'
        f'Content-Disposition: form-data; name="photo"; filename="{called}"\r\nContent-Type: image/png\r\n\r\n'
    ).encode() + b"\x89PNG\r\n--B--\r\n"


async def upload(gate: Lab, path: str, called: str) -> Answer:
    fields = {"X-User-Id": next(gate.people), "Content-Type": "multipart/form-data; boundary=B"}
    return await gate.node.ask("POST", path, form(called), fields)


async def test_names_of_files_are_judged_below_a_prefix(gate: Lab) -> None:
    for path in ("/uploads/7", "/uploads/7/a/b.png", "/uploads/7/"):
        good = await upload(gate, path, "cat.png")
        bad = await upload(gate, path, f"{BAD}.png")
        assert (good.status, bad.status, bad.json()["reason"]) == (201, 403, "keyword.match")
        assert gate.judged(ids(good)[0])["room"] == "7"
    masked = await upload(gate, "/uploads/7/named", f"{BAD}.png")
    assert (masked.status, masked.headers["tidegate-verdict"]) == (201, "mask")
    assert gate.upstream.received[-1].body == form("****.png")
    fields = {"X-User-Id": "alice", "Content-Type": "multipart/form-data; boundary=B"}
    other = await gate.node.ask("PUT", "/uploads/7/a", form("cat.png"), fields)
    assert (other.status, other.json()["reason"]) == (403, "route.unjudged")


async def test_a_batch_that_comes_byte_by_byte(gate: Lab) -> None:
    batch = [call(1, "slowly"), call(2, BAD, "name")]
    fields = {"X-User-Id": next(gate.people), "Content-Type": "application/json", "Connection": "close"}
    data = request("POST", "/rpc", json.dumps(batch, ensure_ascii=False).encode(), fields)
    async with wire(gate.node) as client:
        for at in range(len(data)):
            await client.send(data[at : at + 1])
        answer = await client.answer()
    assert answer.status == 201
    assert json.loads(gate.upstream.received[-1].body) == [batch[0], call(2, "****", "name")]
