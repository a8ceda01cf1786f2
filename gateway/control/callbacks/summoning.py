"""What somebody on call is called for: each topic once within ``interval``, with how often it came up.

    came_up ──► folded + 1 ──(interval since the last call)──► one call that says how often

The first is told at once, and so a crowd of grave messages is one call and not a thousand. What came up within the
interval is told when that is over, and nothing is where nothing came up. Sentences are in Chinese and English, and hold
a category, a number or the name of a receiver: no text of a message, and nobody's name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.config.sections.review.on_call import OnCall
from gateway.control.callbacks.call_queue import call, read_on, room_of
from gateway.control.callbacks.happenings import Happening
from gateway.control.callbacks.receivers import CallTarget
from gateway.control.callbacks.rows import OnCallTopic
from gateway.obligations.regulations.sentence import Sentence

EVENT: Final = "on-call"
HELD, OVERDUE, UNKNOWN, DEAD_CALLS = "held", "overdue", "unknown", "dead"
SPOOL, FULL, INCIDENT, TEST = "spool", "full", "incident", "test"
SENTENCES: Final = {
    HELD: Sentence(
        "{count} message(s) of the category “{about}” wait for a person's decision",
        "“{about}”类内容 {count} 条待审核，请立即处理",
    ),
    OVERDUE: Sentence(
        "{count} appeal(s) wait longer than was promised: tidegate appeals list --state overdue",
        "{count} 件申诉已超过承诺的答复期限，请信息内容安全负责人安排处理：tidegate appeals list --state overdue",
    ),
    UNKNOWN: Sentence(
        "of {count} approved message(s) nobody knows whether the platform published them; look there, and settle them",
        "{count} 条已通过内容的发布结果不明，请到平台核实后处理",
    ),
    DEAD_CALLS: Sentence(
        "{count} call-back(s) to “{about}” were given up: tidegate callbacks list --state dead",
        "发往“{about}”的回调 {count} 个已放弃重试：tidegate callbacks list --state dead",
    ),
    SPOOL: Sentence(
        "{count} message(s) could not be held: the disk or the queue before it takes no more",
        "{count} 条内容无法转入待审核：磁盘不可写或写入队列已满",
    ),
    FULL: Sentence(
        "{count} message(s) were not held: as many wait as may (review.waiting, review.waiting_per_room)",
        "{count} 条内容未能转入待审核：待审核数量已达上限（review.waiting、review.waiting_per_room）",
    ),
    INCIDENT: Sentence(
        "incident {about} is over: {count} message(s) that it held wait for a lead: tidegate incidents show {about}",
        "应急处置 {about} 已结束：{count} 条暂存内容待负责人处理：tidegate incidents show {about}",
    ),
    TEST: Sentence("this is a test: whoever is on call is reached here", "这是一次测试：值班联系地址可用"),
}
"""By what comes first in a topic: ``held:CATEGORY``, ``dead:RECEIVER``, or the word alone."""


def summon(session: Session, section: OnCall, target: CallTarget, node: int, now: int, ids: Callable[[], str]) -> None:
    """Call for what came up since the last time, as far as that may be."""
    for one in read_on(session, target.name, room_of(session, target)):
        topic = topic_of(one, section)
        if topic:
            came_up(session, topic)
    interval = round(section.interval * 1e6)
    for row in session.scalars(select(OnCallTopic).where(OnCallTopic.folded > 0).order_by(OnCallTopic.topic)).all():
        if 0 <= now - row.called_at < interval or room_of(session, target) <= 0:
            continue
        uid = ids()
        told = body(section.shape, row.topic, row.folded, node, uid, now)
        session.add(call(target.name, uid, EVENT, f"topic:{row.topic}"[:80], told, now))
        row.called_at, row.folded = now, 0
        session.flush()


def topic_of(one: Happening, section: OnCall) -> str:
    """What somebody is to be called for; empty for nothing."""
    if one.category and one.category in section.categories:
        return f"{HELD}:{one.category}"
    return {"appeal.overdue": OVERDUE, "message.unknown": UNKNOWN}.get(one.event, "")


def came_up(session: Session, topic: str, times: int = 1) -> None:
    """Count it until it is told."""
    row = session.get(OnCallTopic, topic)
    if row is None:
        session.add(OnCallTopic(topic=topic, called_at=0, folded=times))
    else:
        row.folded += times
    session.flush()


def due(session: Session, interval: float, now: int) -> bool:
    """Whether somebody is to be called for what was counted."""
    rows = session.scalars(select(OnCallTopic.called_at).where(OnCallTopic.folded > 0))
    return any(not 0 <= now - called_at < interval * 1e6 for called_at in rows)


def said(topic: str, count: int, node: int) -> Sentence:
    """The sentence in both languages."""
    what, _, about = topic.partition(":")
    sentence = SENTENCES[what]
    return Sentence(
        f"[Tidegate, node {node}] {sentence.en.format(count=count, about=about)}",
        f"【Tidegate 节点 {node}】{sentence.zh.format(count=count, about=about)}",
    )


def body(shape: str, topic: str, count: int, node: int, uid: str, now: int) -> dict[str, Any]:
    """What is sent, as whoever reads it wants it."""
    sentence = said(topic, count, node)
    return shaped(shape, sentence, {"id": uid, "event": EVENT, "at": now, "topic": topic, "count": count, "node": node})


def shaped(shape: str, sentence: Sentence, facts: dict[str, Any]) -> dict[str, Any]:
    """A sentence in the body that a robot reads; ``facts`` go along where it takes more than a sentence."""
    text = f"{sentence.zh}\n{sentence.en}"
    if shape == "feishu":
        return {"msg_type": "text", "content": {"text": text}}
    if shape in ("dingtalk", "wecom"):
        return {"msgtype": "text", "text": {"content": text}}
    return {"text": text, "zh": sentence.zh, "en": sentence.en, **facts}
