"""A refusal is appealed over a real node: by its code alone, with a form that needs no script; what came is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
import pytest_asyncio

from tests.e2e.lab import Lab, lab
from tests.e2e.node import Answer, Node

pytestmark = pytest.mark.asyncio(loop_scope="module")

RULES = """
  { check = "block",    action = "reject", on_error = "reject", ground = "agreement 6.1" },
  { check = "limit",    action = "reject", on_error = "pass",   ground = "agreement 4.2", limits = ["sender 6/1m"] },
  { check = "keywords", action = "reject", on_error = "reject", ground = "agreement 3.1", lists = ["spam"] },
"""
MORE = """
[[routes]]
name = "notes"
match = "POST /api/notes/{room}"
surface = "comment"
upstream = "platform"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
content = "never"

[appeals]
path = "/help/appeals"
undo = "0s"
per_address = "1000/1m"
per_code = "12/1m"
"""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PAGE = "/help/appeals"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    folder: Path = tmp_path_factory.mktemp("appeals")
    settings = {"rules": RULES, "more": MORE, "words": "代开发票\n"}
    async with lab(folder, workers=2, known=False, **settings) as made:
        for name in ("li", "wang"):
            token = (
                await made.node.manage("POST", "/v1/people", {"name": name, "roles": ["reviewer"], "reason": "new"})
            ).json()["result"]["token"]
            (folder / name).write_text(token)
        yield made
        await made.sound("代开发票", "It was a question")


@pytest.fixture
def node(made: Lab) -> Node:
    return made.node


async def refused(node: Node, sender: str, path: str = "/api/articles/1/comments") -> str:
    """A code, as the sender of a refused comment is told it."""
    answer = await node.say(sender, "问：什么是代开发票?", path)
    assert answer.status == 403, answer
    code: str = answer.json()["appeal_code"]
    assert len(code) == 10
    return code


async def page(node: Node, code: str = "", **headers: str) -> Answer:
    query = "?" + urlencode({"code": code}) if code else ""
    return await node.ask("GET", PAGE + query, None, {"Accept": "text/html", **headers})


async def sent(node: Node, **fields: str) -> Answer:
    return await node.ask("POST", PAGE, urlencode(fields).encode(), FORM | {"Accept": "text/html"})


async def by_json(node: Node, **fields: str) -> Answer:
    return await node.ask("POST", PAGE, json.dumps(fields).encode(), {"Content-Type": "application/json"})


async def as_person(made: Lab, name: str, method: str, path: str, body: object = None) -> Answer:
    token = (made.config.parent / name).read_text()
    return await made.node.manage(method, path, body, token=token)


async def number_of(made: Lab) -> int:
    """The appeal that was filed last."""
    return int((await made.node.manage("GET", "/v1/appeals")).json()["appeals"][-1]["id"])


async def state(node: Node, code: str, wanted: str) -> dict[str, object]:
    """What the appellant is told, once it is that."""
    for _ in range(100):
        told = (await node.ask("GET", f"{PAGE}?code={code}", None, {"Accept": "application/json"})).json()
        if told["state"] == wanted:
            return told
        await asyncio.sleep(0.1)
    raise AssertionError(told)


async def recorded(node: Node, what: str) -> None:
    """An act of this kind is in the journal, and so in force."""
    for _ in range(100):
        if any(one["kind"] == "act" and one["what"] == what for one in node.records()):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(what)


async def test_refused_appealed_decided_told(made: Lab, node: Node) -> None:
    code = await refused(node, "zhang")
    shown = await page(node, f"{code[:5]}-{code[5:].lower()}", **{"Accept-Language": "zh-CN"})
    text = shown.body.decode()
    assert shown.status == 200
    assert "处置决定" in text
    assert "agreement 3.1" in text
    assert "代开发票" not in text  # neither the word nor what was written
    assert shown.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert "<script" not in text
    assert "//" not in text  # nothing is fetched from anywhere

    filed = await sent(node, code=code, statement="It was a <b>question</b>", do="file", lang="en")
    assert filed.status == 200
    assert "Waiting for a person" in filed.body.decode()
    number = await number_of(made)
    again = await sent(node, code=code, statement="once more", do="file")
    assert again.status == 200
    assert await number_of(made) == number

    read = await as_person(made, "li", "GET", f"/v1/appeals/{number}")
    assert (read.status, read.json()["reason"]) == (400, "control.reason_missing")
    assert (await as_person(made, "li", "POST", f"/v1/appeals/{number}:claim")).status in (200, 202)
    told = (await as_person(made, "li", "GET", f"/v1/appeals/{number}")).json()
    assert told["statement"] == "It was a <b>question</b>"
    assert told["texts"] == ["问：什么是代开发票?"]
    other = await as_person(made, "wang", "POST", f"/v1/appeals/{number}:claim")
    assert (other.status, other.json()["reason"]) == (409, "review.claimed")
    decided = await as_person(
        made, "li", "POST", f"/v1/appeals/{number}:decide", {"outcome": "upheld", "answer": "A question is no offer."}
    )
    assert decided.status in (200, 202), decided
    final = await state(node, code, "upheld")
    assert final["answer"] == "A question is no offer."
    assert final["redress"]["kind"] == "ticket"
    for _ in range(3):  # the ticket is in force within a second
        passed = await node.say("zhang", "问：什么是代开发票?")
        if passed.status == 201:
            break
        await asyncio.sleep(0.5)
    assert passed.status == 201, passed
    await recorded(node, "ticket.spend")
    assert (await node.say("zhang", "问：什么是代开发票?")).status == 403  # once
    acts = [one["what"] for one in node.records() if one["kind"] == "act" and one["what"].startswith("appeal.")]
    assert acts[-4:] == ["appeal.claim", "appeal.read", "appeal.upheld", "appeal.settle"]


async def test_a_rejection_has_reasons_and_is_told_in_the_page(made: Lab, node: Node) -> None:
    code = await refused(node, "zhao")
    await sent(node, code=code, statement="Why?", do="file")
    number = await number_of(made)
    await as_person(made, "wang", "POST", f"/v1/appeals/{number}:claim")
    await as_person(made, "wang", "GET", f"/v1/appeals/{number}")
    bare = await as_person(made, "wang", "POST", f"/v1/appeals/{number}:decide", {"outcome": "rejected"})
    assert bare.status == 400
    body = {"outcome": "rejected", "ground": "agreement 3.1", "answer": "It offers <forged> invoices."}
    await as_person(made, "wang", "POST", f"/v1/appeals/{number}:decide", body)
    await state(node, code, "rejected")
    text = (await page(node, code)).body.decode()
    assert "It offers &lt;forged&gt; invoices." in text
    assert "wang" not in text


async def test_a_limit_is_explained_at_once_and_goes_to_a_person_on_insistence(made: Lab, node: Node) -> None:
    for _ in range(6):
        await node.say("qian", "hello")
    answer = await node.say("qian", "hello")
    assert answer.status == 429
    code = answer.json()["appeal_code"]
    told = (await by_json(node, code=code)).json()
    assert told["state"] == "explained"
    assert "again" in told["detail"]
    told = (await by_json(node, code=code, do="insist", statement="I wrote twice")).json()
    assert told["state"] == "waiting"
    assert told["answer_by"] > told["filed_at"]
    assert (await by_json(node, code=code, do="withdraw")).json()["state"] == "withdrawn"
    late = await by_json(node, code=code, do="withdraw")
    assert (late.status, late.json()["reason"]) == (409, "appeal.decided")


async def test_guessed_foreign_and_passed_codes_are_told_alike(made: Lab, node: Node) -> None:
    answers = [
        await by_json(node, code=code, statement="x") for code in ("0000000000", "ZZZZZZZZZZ", "short", "é" * 10)
    ]
    assert {(one.status, one.json()["reason"]) for one in answers} == {(404, "appeal.unknown")}
    bodies = {json.dumps(one.json(), sort_keys=True) for one in answers}
    assert len(bodies) == 1
    assert (await page(node, "0000000000")).status == 404


async def test_a_text_that_nobody_kept_is_entered_again_and_proved(made: Lab, node: Node) -> None:
    code = await refused(node, "sun", "/api/notes/n1")
    (record,) = [one for one in node.records() if one["kind"] == "judged" and one["sender"] == "sun"]
    assert "content" not in record
    assert len(record["print"]) == 16
    shown = await page(node, code)
    assert 'name="text"' in shown.body.decode()
    without = await by_json(node, code=code, statement="why")
    assert (without.status, without.json()["reason"]) == (422, "appeal.text_needed")
    other = await by_json(node, code=code, statement="why", text="something else")
    assert (other.status, other.json()["reason"]) == (422, "appeal.text_differs")
    filed = await by_json(node, code=code, statement="why", text="问:什么是 代开发票")
    assert filed.json()["state"] == "waiting"
    number = await number_of(made)
    told = (await node.manage("GET", f"/v1/appeals/{number}?reason=looking")).json()
    assert told["proved"] is True
    assert told["texts"] == ["问:什么是 代开发票"]


async def test_what_is_no_appeal_is_refused(made: Lab, node: Node) -> None:
    code = await refused(node, "zhou")
    for body, headers, status in (
        (b"{", {"Content-Type": "application/json"}, 400),
        (b"[]", {"Content-Type": "application/json"}, 400),
        (b'{"code": 1}', {"Content-Type": "application/json"}, 400),
        (b'{"code": "a", "more": "b"}', {"Content-Type": "application/json"}, 400),
        (b"code=a&code=b", FORM, 400),
        (b"code=%ff", FORM, 400),
        (b"code=a%00", FORM, 400),
        (b"x", {"Content-Type": "text/plain"}, 400),
        (b"{}", {"Content-Type": "application/json"}, 400),
        (json.dumps({"code": code, "statement": "a" * 1001}).encode(), {"Content-Type": "application/json"}, 400),
        (json.dumps({"code": code, "do": "uphold"}).encode(), {"Content-Type": "application/json"}, 400),
        (json.dumps({"code": code}).encode(), {"Content-Type": "application/json"}, 422),
        (b'{"text": "' + b"a" * 70_000 + b'"}', {"Content-Type": "application/json"}, 400),
    ):
        answer = await node.ask("POST", PAGE, body, headers)
        assert answer.status == status, (body[:80], answer)
    assert (await node.ask("PUT", PAGE, b"", FORM)).status == 405
    assert (await node.ask("GET", PAGE + "/v1/people")).status != 200
    assert (await node.ask("GET", PAGE)).status == 200
    assert "server" not in (await node.ask("GET", PAGE)).headers


async def test_nobody_asks_for_one_code_without_end(made: Lab, node: Node) -> None:
    answers = [await by_json(node, code="1111111111", statement="x") for _ in range(14)]
    assert {one.status for one in answers[:12]} == {404}
    assert answers[-1].status == 429
    assert int(answers[-1].headers["retry-after"]) >= 1


async def test_whoever_wrote_the_rule_does_not_decide(made: Lab, node: Node) -> None:
    block = {"scope": "sender", "value": "wu", "reason": "spam", "ground": "agreement 6.1"}
    assert (await as_person(made, "wang", "POST", "/v1/blocks", block)).status in (200, 202)
    code = (await node.say("wu", "hello")).json()["appeal_code"]
    assert (await by_json(node, code=code, statement="It was my brother")).json()["state"] == "waiting"
    number = await number_of(made)
    own = await as_person(made, "wang", "POST", f"/v1/appeals/{number}:claim")
    assert (own.status, own.json()["reason"]) == (403, "review.barred")
    assert (await as_person(made, "li", "POST", f"/v1/appeals/{number}:claim")).status in (200, 202)
