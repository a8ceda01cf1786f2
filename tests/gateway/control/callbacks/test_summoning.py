"""Whoever is on call: called at once, once for each thing within the interval, with how often it came up."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.control.appeals import appeals
from gateway.control.callbacks import summoning
from gateway.control.callbacks.call_posting import Posted
from gateway.control.callbacks.summoning import SENTENCES, said, shaped
from gateway.obligations.regulations.sentence import Sentence
from tests.gateway.control.callbacks.conftest import ON_CALL, PLATFORM
from tests.gateway.control.callbacks.test_happenings import file


@pytest.fixture
async def duty(board: Any) -> Any:
    board.configure(ON_CALL)
    await board.step()
    return board


async def test_a_grave_category_that_is_held_calls_at_once(duty: Any) -> None:
    duty.park("m1", category="spam")
    assert await duty.step() == []
    duty.park("m2", category="minors")
    (made,) = await duty.step()
    assert made.target.name == "on-call"
    assert (made.body["event"], made.body["topic"], made.body["count"]) == ("on-call", "held:minors", 1)
    assert "minors" in made.body["en"]
    assert "待审核" in made.body["zh"]
    assert made.body["text"] == f"{made.body['zh']}\n{made.body['en']}"
    assert "Tidegate-Signature" not in made.fields  # robots read none, and this one has no secret
    for secret in (b"buy this", b"alice", b"m2"):
        assert secret not in made.data


async def test_a_crowd_is_one_call_and_the_next_says_how_many(duty: Any) -> None:
    for number in range(50):
        duty.park(f"m{number:02}", category="minors")
    (first,) = await duty.step()
    assert first.body["count"] == 50
    for number in range(50, 57):
        duty.park(f"m{number:02}", category="minors")
        assert await duty.step(1.0) == []
    assert await duty.step(590.0) == []
    (second,) = await duty.step(5.0)
    assert second.body["count"] == 7
    assert second.body["id"] != first.body["id"]
    assert await duty.step(6000.0) == []  # nothing came up: nobody is called


async def test_each_thing_for_itself(duty: Any) -> None:
    duty.configure(ON_CALL.replace('["minors"]', '["minors", "threats"]'))
    duty.park("m1", category="minors")
    duty.park("m2", category="threats")
    assert {made.body["topic"] for made in await duty.step()} == {"held:minors", "held:threats"}


async def test_an_appeal_that_is_overdue(duty: Any) -> None:
    file(duty)
    assert await duty.step() == []
    duty.ns += 61 * 10**9
    duty.plant.database.now(lambda session: appeals.overrun(session, now=duty.now))
    (made,) = await duty.step()
    assert (made.body["topic"], made.body["count"]) == ("overdue", 1)
    assert "信息内容安全负责人" in made.body["zh"]


async def test_a_release_of_which_nobody_knows(duty: Any) -> None:
    duty.park("m1")
    await duty.approve("m1")
    duty.move("m1", "release", "lose")
    assert [made.body["topic"] for made in await duty.step()] == ["unknown"]


async def test_calls_to_the_platform_that_were_given_up(board: Any) -> None:
    board.configure(PLATFORM + "retry_for = 0\n" + ON_CALL)
    await board.step()
    board.says["platform"] = [Posted(500, "callback.status")]
    board.park("m1")
    await board.step()
    (made,) = await board.step()
    assert (made.target.name, made.body["topic"]) == ("on-call", "dead:platform")


async def test_an_address_that_is_away_calls_nobody_about_itself(duty: Any) -> None:
    duty.configure(ON_CALL + 'retry_for = "2s"\n')
    duty.says["on-call"] = [Posted(None, "callback.unreached")]
    duty.park("m1", category="minors")
    await duty.until(lambda: duty.told() == [("on-call", "dead")])
    for _ in range(10):
        await duty.step(3600.0)
    assert duty.told() == [("on-call", "dead")]


async def test_it_is_counted_over_a_restart_and_a_clock_that_is_set_back(duty: Any) -> None:
    duty.park("m1", category="minors")
    await duty.step()
    duty.park("m2", category="minors")
    await duty.step()
    await duty.restart()
    assert len(duty.calls) == 1
    duty.ns -= 400 * 86_400 * 10**9
    duty.park("m3", category="minors")
    (made,) = await duty.step()
    assert made.body["count"] == 2


async def test_signed_where_it_has_a_secret(duty: Any) -> None:
    duty.configure(ON_CALL + 'secret = "0123456789abcdef"\n')
    duty.park("m1", category="minors")
    (made,) = await duty.step()
    assert made.fields["Tidegate-Signature"].startswith("v1=")


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("dingtalk", {"msgtype": "text", "text": {"content": "zh\nen"}}),
        ("wecom", {"msgtype": "text", "text": {"content": "zh\nen"}}),
        ("feishu", {"msg_type": "text", "content": {"text": "zh\nen"}}),
        ("text", {"text": "zh\nen", "zh": "zh", "en": "en", "count": 1}),
    ],
)
def test_shapes_of_robots(shape: str, body: dict[str, Any]) -> None:
    assert shaped(shape, Sentence("en", "zh"), {"count": 1}) == body


@pytest.mark.parametrize("topic", sorted(SENTENCES))
def test_every_topic_has_its_sentence_in_both_languages(topic: str) -> None:
    told = said(f"{topic}:{{x}}", 3, 7)
    assert told.en.startswith("[Tidegate, node 7] ")
    assert told.zh.startswith("【Tidegate 节点 7】")
    assert topic == summoning.TEST or ("3" in told.en and "3" in told.zh)
