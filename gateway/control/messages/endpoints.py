"""Messages: a page of those that match, and everything that is known of one. Both are readings of personal data, and on
record before anything is told; the piece of text that somebody looked for is not, for it may be somebody's."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson
from sqlalchemy import select

from gateway.control.acts.refusal import ControlError, missing
from gateway.control.acts.rows import Act
from gateway.control.calls.call import Call
from gateway.control.calls.schemas import NoQuery, is_printable
from gateway.control.cases import samples
from gateway.control.messages.index_client import IndexClient
from gateway.control.messages.schemas import (
    BecameOut,
    MessageFound,
    MessagesFound,
    MessageStory,
    MessagesWanted,
    StoryQuery,
)
from gateway.control.people.schemas import ActOut
from gateway.control.review.review_desk import ReviewDesk

ACTS = 100  # of one message that are told
SUBJECT = 320  # characters of an act's
NAMED = 64  # characters of a file's day or node
ROWS = 1 << 53  # of a file


async def search(call: Call[MessagesWanted, NoQuery]) -> MessagesFound:
    """By any of these together, the newest first. What is found is read from the journal."""
    async with call.service(IndexClient).turn():
        return await _searched(call)


async def _searched(call: Call[MessagesWanted, NoQuery]) -> MessagesFound:
    body, index = call.body, call.service(IndexClient)
    place = _place(body.cursor) if body.cursor is not None else None
    await call.reads(body.reason, "message.identify" if body.identity else "message.search", _subject(body))
    ids = [body.id] if body.id is not None else []
    if body.code is not None:
        ids = list(await index.coded(body.code))
        if not ids:
            raise missing("message")
    asked = {
        "ids": ids, "sender": body.sender or "", "room": body.room or "", "route": body.route or "",
        "verdict": body.verdict or "", "reason": body.reason_code or "", "state": body.state, "text": body.text or "",
        "since_us": body.since or 0, "until_us": body.until,
    }  # fmt: skip
    told = await index.search(asked, body.limit, place)
    hidden = await _sampled(call)
    return MessagesFound(
        messages=[_found(one, identity=body.identity) for one in told["found"] if not hidden & _ids(one["record"])],
        cursor=_cursor(told["place"]) if told["place"] is not None else None,
        complete=told["complete"],
        behind=told["behind"],
        since=told["since"],
        problem=told["problem"],
    )


async def get(call: Call[None, StoryQuery]) -> MessageStory:
    """With its trail: what was found in it, what became of it, what people did."""
    message_id, query = call.path("id"), call.query
    await call.reads(query.reason, "message.identify" if query.identity else "message.read", f"message:{message_id}")
    told = await call.service(IndexClient).message(message_id)
    if told is None:
        raise missing("message")
    record = told["record"]
    if await _sampled(call) & _ids(record):
        raise ControlError(403, "review.sampled", "You decide on its sample: what was decided is not told to you.")
    trail = told["trail"]
    became = [{"at": one["time"], "kind": one["kind"], "state": one["state"]} for one in trail]
    wanted = select(Act).where(Act.subject == f"message:{message_id}").order_by(Act.id.desc()).limit(ACTS)
    acts = await call.services.database.read(lambda session: session.scalars(wanted).all())
    personal = record.get("personal", {}).get("plain")
    return MessageStory(
        message=_found({**told, "events": became}, identity=query.identity),
        personal=personal if query.identity else None,
        findings=record.get("findings", []),
        shadow=record.get("shadow", []),
        degraded=list(record.get("degraded", ())),
        labels=list(record.get("labels", ())),
        policy=record.get("policy", ""),
        lists=record.get("lists", {}),
        trail=[{name: value for name, value in one.items() if name not in HIDDEN} for one in trail],
        whole=told["whole"],
        acts=[ActOut(**row.as_row()) for row in acts],
    )


async def _sampled(call: Call[Any, NoQuery] | Call[Any, StoryQuery]) -> frozenset[str]:
    """Messages of whose samples the caller decides now: what became of them would tell what was decided."""
    person, now = call.caller.person, call.service(ReviewDesk).now()
    return await call.services.database.read(lambda session: samples.messages_hidden_from(session, person, now))


def _ids(record: dict[str, Any]) -> set[str]:
    """Its own, and that of the held message that is published by it."""
    return {record["id"], record.get("releases", "")}


HIDDEN = frozenset(("v", "epoch", "seq", "chain", "crc"))  # how a record is kept, which says nothing of the message


def _found(told: dict[str, Any], *, identity: bool) -> MessageFound:
    record = told["record"]
    findings = record.get("findings", ())
    return MessageFound(
        id=record["id"],
        at=told["at"],
        sent_at=record.get("sent_at", told["at"]),
        route=record["route"],
        surface=record.get("surface", "danmaku"),  # of what was imported
        room=record["room"],
        sender=record.get("sender", "") if identity else None,
        verdict=record.get("verdict", "pass"),
        reasons=list(dict.fromkeys(one["reason"] for one in findings)),
        effects=list(dict.fromkeys(one["effect"] for one in findings)),
        categories=list(dict.fromkeys(one["category"] for one in findings if one.get("category"))),
        texts=record.get("content", {}).get("plain"),
        edit=record.get("edit", False),
        releases=record.get("releases", ""),
        state=told["state"],
        became=[BecameOut(**one) for one in told["events"]],
    )


def _subject(body: MessagesWanted) -> str:
    """What was asked for, as the act keeps it."""
    named = {
        "id": body.id, "code": body.code, "sender": body.sender, "room": body.room, "route": body.route,
        "verdict": body.verdict, "reason": body.reason_code, "state": body.state, "since": body.since,
        "until": body.until,
    }  # fmt: skip
    told = [f"{name}={value}" for name, value in named.items() if value is not None]
    told += ["text"] if body.text is not None else []
    return f"messages:{' '.join(told) or '*'}"[:SUBJECT]


def _cursor(place: list[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode()


def _place(cursor: str) -> list[Any]:
    try:
        begun, (date, node) = orjson.loads(base64.urlsafe_b64decode(cursor.encode()))
        rows: list[tuple[str, str, int]] = [(str(one), str(day), int(below)) for one, day, below in begun]
        rest = [str(date), str(node)]
    except (binascii.Error, ValueError, TypeError, OverflowError):
        raise _no_cursor() from None
    named = [name for row in rows for name in row[:2]] + rest
    if not all(is_printable(name) and len(name) <= NAMED for name in named):
        raise _no_cursor()
    if not all(0 <= below <= ROWS for _, _, below in rows):
        raise _no_cursor()
    return [[list(row) for row in rows], rest]


def _no_cursor() -> ControlError:
    return ControlError(400, "control.invalid", "cursor is none that an answer gave.")
