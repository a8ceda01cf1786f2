"""Senders are told in the language that they read, over real sockets, before and behind a reload."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.lab import Lab, lab
from tests.e2e.wire import once

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}
ROUTES = """
[upstreams.gone]
servers = ["http://127.0.0.1:1"]
[[routes]]
name = "chat"
match = "GET /chat/{room}"
transport = "websocket"
surface = "group"
upstream = "platform"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
websocket = { plain = "refuse" }
[[routes]]
name = "nowhere"
match = "GET /nowhere"
upstream = "gone"
language = "zh"
[[routes]]
name = "notes"
match = "POST /notes/{room}"
surface = "comment"
upstream = "platform"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
language = "zh"
[sentences]
terms = { "agreement 3.1" = { zh = "用户协议第 3.1 条" } }
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    async with lab(tmp_path_factory.mktemp("languages"), server='unmatched_upstream = "platform"', more=ROUTES) as made:
        yield made
        await made.sound("alice")


async def test_a_refusal_and_its_ground_are_chinese_for_who_reads_chinese(gate: Lab) -> None:
    answer = await gate.node.say("alice", "代开发票", **CHINESE)
    assert (answer.status, answer.json()["reason"]) == (403, "keyword.match")
    assert answer.json()["title"] == "文字内容不符合规定"
    assert answer.json()["ground"] == "用户协议第 3.1 条"
    assert answer.headers["content-language"] == "zh-CN"
    assert answer.headers["vary"] == "Accept-Language"


async def test_and_english_for_who_does_not(gate: Lab) -> None:
    answer = await gate.node.say("alice", "代开发票")
    assert (answer.json()["title"], answer.json()["ground"]) == ("The text breaks the rules", "agreement 3.1")
    assert answer.headers["content-language"] == "en"


async def test_what_passes_is_told_nothing_of_languages(gate: Lab) -> None:
    answer = await gate.node.say("alice", "A fine piece", **CHINESE)
    assert answer.status < 300
    assert "content-language" not in answer.headers
    assert "vary" not in answer.headers


@pytest.mark.parametrize(
    ("method", "target", "body", "title"),
    [
        ("POST", "/api/articles/1/comments", b"{", "请求体不是有效的 JSON（RFC 8259）"),
        ("POST", "/api/articles//1/comments", b"{}", "路径中有空段"),
        ("PUT", "/api/articles/1/comments", b"{}", "向此地址发布的内容须经审核，不能以这种方式发布"),
        ("GET", "/chat/1", None, "此地址仅支持 WebSocket"),
    ],
)
async def test_the_gateways_own_refusals_are_too(
    gate: Lab, method: str, target: str, body: bytes | None, title: str
) -> None:
    fields = {"X-User-Id": "alice", "Content-Type": "application/json", **CHINESE}
    answer = await gate.node.ask(method, target, body, fields)
    assert answer.json()["title"] == title
    assert answer.headers["content-language"] == "zh-CN"


async def test_a_route_that_nobody_judges_says_its_language_as_well(gate: Lab) -> None:
    answer = await gate.node.ask("GET", "/nowhere", None, {"Accept-Language": "en"})
    assert (answer.status, answer.json()["title"]) == (502, "上游服务器均未接受连接")
    assert "vary" not in answer.headers


async def test_a_route_that_is_judged_says_its_own(gate: Lab) -> None:
    fields = {"X-User-Id": "alice", "Content-Type": "application/json", "Accept-Language": "en"}
    answer = await gate.node.ask("POST", "/notes/1", '{"content": "代开发票"}'.encode(), fields)
    assert answer.json()["title"] == "文字内容不符合规定"


async def test_a_head_that_cannot_be_read_is_told_in_the_language_for_all(gate: Lab) -> None:
    answer = await once(gate.node, b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n")
    assert answer.headers["content-language"] == "en"
    assert answer.json()["title"] == "The Host field is malformed"


async def test_an_operators_own_words_are_in_force_after_a_reload(gate: Lab) -> None:
    text = gate.config.read_text(encoding="utf-8")
    own = '[sentences.zh."keyword.match"]\ntitle = "评论含有不允许发布的词语"\ndetail = ""\n'
    gate.config.write_text(text.replace("[sentences]\n", '[sentences]\notherwise = "zh"\n') + own, encoding="utf-8")
    answer = await gate.node.manage("POST", "/v1/reload", {"reason": "test"})
    assert answer.json()["result"]["ok"] is True
    problem = (await gate.node.say("alice", "代开发票")).json()
    assert problem["title"] == "评论含有不允许发布的词语"
    assert "detail" not in problem
