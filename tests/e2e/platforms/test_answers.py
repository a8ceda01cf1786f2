"""What the clients of real protocols get in the place of our own words: JSON-RPC, Phoenix, GraphQL, browsers' forms."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.node import Answer
from tests.e2e.socketlab import SocketLab, socket_lab, told

pytestmark = pytest.mark.asyncio(loop_scope="module")

COMMON = """
upstream = "platform"
policy = "chat"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
"""
ROUTES = (
    '[[routes]]\nname = "rpc"\nmatch = "POST /rpc/{room}"\nsurface = "comment"\ntext = "json:/params/text"'
    + COMMON
    + """
[[routes.refusal]]
status = 200
body = { jsonrpc = "2.0", id = "{json:/id}", error = { code = -32000, message = "{title}", data = "{reason}" } }
"""
    '[[routes]]\nname = "form"\nmatch = "POST /form/{room}"\nsurface = "comment"\ntext = "form:comment[body]"'
    + COMMON
    + """
[[routes.refusal]]
accepts = "text/html"
reasons = ["keyword"]
redirect = "/articles/{path:room}?refused={reason}&to={form:comment[parent]}#comments"
[[routes.refusal]]
accepts = "text/html"
page = true
"""
    '[[routes]]\nname = "phoenix"\nmatch = "GET /phoenix/{room}"\ntransport = "websocket"\nsurface = "group"\n'
    'text = "json:/4/body"\nmessage_when = { "/3" = "new_msg" }\nrelay_when = { "/3" = ["heartbeat", "phx_join"] }'
    + COMMON
    + """
[[routes.refusal]]
body = ["{json:/0}", "{json:/1}", "{json:/2}", "phx_reply", { status = "error", response = { reason = "{reason}" } }]
verdicts = ["reject"]
[[routes.refusal]]
verdicts = ["hold", "mask", "mute", "unmute", "close"]
silent = true
"""
    '[[routes]]\nname = "graphql"\nmatch = "GET /graphql-ws/{room}"\ntransport = "websocket"\nsurface = "group"\n'
    'text = "json:/payload/variables/text"\nmessage_when = { "/type" = "subscribe" }\n'
    'relay_when = { "/type" = ["connection_init", "ping", "pong", "complete"] }'
    + COMMON
    + """
[routes.refusal]
verdicts = ["reject", "mask", "mute", "unmute", "close"]
body = { id = "{json:/id}", type = "error", payload = [{ message = "{title}" }] }
"""
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SocketLab]:
    async with socket_lab(tmp_path_factory.mktemp("answers"), more=ROUTES) as made:
        yield made


async def rpc(gate: SocketLab, body: bytes) -> Answer:
    fields = {"X-User-Id": "alice", "Content-Type": "application/json"}
    return await gate.node.ask("POST", "/rpc/7", body, fields)


@pytest.mark.parametrize("number", [7, "a-1", None, 1.5])
async def test_an_error_of_json_rpc_has_the_number_of_its_call(gate: SocketLab, number: object) -> None:
    call = {"jsonrpc": "2.0", "id": number, "method": "say", "params": {"text": "代开发票"}}
    answer = await rpc(gate, json.dumps(call).encode())
    error = {"code": -32000, "message": "The text breaks the rules", "data": "keyword.match"}
    assert (answer.status, answer.json()) == (200, {"jsonrpc": "2.0", "id": number, "error": error})


@pytest.mark.parametrize(
    ("body", "number"),
    [
        (b'{"id": 7, "params": {}}', 7),
        (b'{"id": 7', None),
        (b"[]", None),
        (b'{"id": [1], "params": 1}', [1]),
        (b"", None),
    ],
)
async def test_so_has_one_in_which_nothing_could_be_judged(gate: SocketLab, body: bytes, number: object) -> None:
    answer = await rpc(gate, body)
    assert answer.status == 200
    assert answer.json()["id"] == number
    assert answer.json()["error"]["data"].startswith(("body.", "text."))


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


async def form(gate: SocketLab, sender: str, accept: str, body: bytes) -> Answer:
    fields = {
        "X-User-Id": sender, "Content-Type": "application/x-www-form-urlencoded", "Accept": accept,
        "Accept-Language": "zh",
    }  # fmt: skip
    return await gate.node.ask("POST", "/form/7", body, fields)


async def test_a_browsers_form_is_sent_back_to_its_page(gate: SocketLab) -> None:
    answer = await form(gate, "alice", BROWSER, "comment[body]=代开发票&comment[parent]=5%0d%0aX:%201".encode())
    assert answer.status == 303
    assert answer.headers["location"] == "/articles/7?refused=keyword.match&to=5%0D%0AX%3A%201#comments"
    assert answer.headers["vary"].startswith("Accept")
    assert "x" not in answer.headers


async def test_or_gets_a_page_in_its_readers_language(gate: SocketLab) -> None:
    answer = await form(gate, "carol", BROWSER, b"comment[body]=hello")
    assert (answer.status, answer.headers["content-type"]) == (403, "text/html; charset=utf-8")
    page = answer.body.decode()
    assert '<html lang="zh-CN">' in page
    assert "identity.unverified" in page
    assert "申诉" in page


async def test_a_script_on_the_same_address_gets_a_problem(gate: SocketLab) -> None:
    answer = await form(gate, "alice", "application/json", "comment[body]=代开发票".encode())
    assert (answer.status, answer.json()["reason"]) == (403, "keyword.match")
    assert "Accept" in answer.headers["vary"].replace(",", " ").split()


async def test_a_reply_of_phoenix_finds_its_push_and_the_channel_lives(gate: SocketLab) -> None:
    async with gate.connect("/phoenix/7") as client:
        for push in (
            ["1", "1", "room:7", "phx_join", {}],
            ["1", "2", "room:7", "new_msg", {"body": "代开发票"}],
            [None, "3", "room:7", "new_msg", {"body": "you idiot"}],
            ["1", "4", "room:7", "new_msg", {"body": 5}],
        ):
            await client.send(json.dumps(push))
        told_of = {"status": "error", "response": {"reason": "keyword.match"}}
        seen = [await told(client) for _ in range(4)]
    assert ["1", "1", "room:7", "phx_join", {}] in seen
    assert ["1", "2", "room:7", "phx_reply", told_of] in seen
    assert [None, "3", "room:7", "new_msg", {"body": "you *****"}] in seen  # and nothing is said of the mask
    assert any(one[1] == "4" and one[3] == "phx_reply" for one in seen)


async def test_an_error_of_graphql_ends_its_own_operation_and_no_other(gate: SocketLab) -> None:
    async with gate.connect("/graphql-ws/7") as client:
        await client.send(json.dumps({"type": "connection_init"}))
        for number, text in (("a", "代开发票"), ("b", "hello")):
            say = {"query": "mutation($text: String!) { say(text: $text) }", "variables": {"text": text}}
            await client.send(json.dumps({"id": number, "type": "subscribe", "payload": say}))
        seen = [await told(client) for _ in range(3)]
    assert {"id": "a", "type": "error", "payload": [{"message": "The text breaks the rules"}]} in seen
    assert [one["id"] for one in seen if one["type"] == "subscribe"] == ["b"]
