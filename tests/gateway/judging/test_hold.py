"""A message that is to wait: parked, then recorded, then told; and what it is worth where it cannot wait."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.journal.read.reader import merged
from gateway.judging.resending import digest
from gateway.parking.parked import ParkedRequest, decode
from gateway.parking.seal import Seal
from gateway.parking.spool import Parking
from gateway.state.hot.scripts import GIVE_BACK
from gateway.state.model.snapshot import SnapshotRows, TicketRow, encode
from rig.configuration import CONFIGURATION
from rig.worker import Course

REVIEW = """
[review]
key = "{key}"
on_cap = "{on_cap}"
"""
HELD = '{{ check = "review", action = "hold", on_error = "{on_error}", ground = "comment provisions 5(3)" }},\n  '


class FakeSpool:
    """Keeps what is parked until it is told what became of it."""

    def __init__(self) -> None:
        self.seal = Seal(bytes(32))
        self.waiting: list[tuple[str, bytes, Parking]] = []
        self._files = itertools.count(1)

    def park(self, message_id: str, plain: bytes, waiting: Parking) -> None:
        self.waiting.append((message_id, plain, waiting))

    def done(self) -> list[ParkedRequest]:
        """All of it is on disk."""
        waiting, self.waiting = self.waiting, []
        for _, _, one in waiting:
            one.on_parked(f"{next(self._files):04d}.spool")
        return [decode(plain) for _, plain, _ in waiting]

    def failed(self, cause: str) -> None:
        waiting, self.waiting = self.waiting, []
        for _, _, one in waiting:
            one.on_unparked(cause)


class Held(Course):
    """A worker whose policy holds every comment."""

    def __init__(self, on_error: str = "reject", on_cap: str = "reject") -> None:
        super().__init__()
        rule = HELD.replace("{on_error}", on_error)
        review = REVIEW.replace("{key}", "0" * 64).replace("{on_cap}", on_cap)
        held = CONFIGURATION.replace("{rules},", f"{rule}{{rules}},", 1)
        self.configuration = (
            held.replace('\npolicy = "comment"\n', '\npolicy = "comment"\nrelease = {{ ticket = true }}\n') + review
        )
        self.spool = FakeSpool()

    async def build(self, root: Path, listed: int = 100) -> None:
        await super().build(root, listed)
        self.root = root
        holding = self.app._pipeline.holding
        assert holding is not None
        holding.spool = self.spool  # type: ignore[assignment]  # a feigned one

    async def say(self, number: int = 0, headers: bytes = b"", text: str = "hello", sender: bytes = b"alice") -> None:
        """One comment, judged."""
        body = orjson.dumps({"content": text})
        self.transports[number].last = b""
        self.clients[number].data_received(
            b"POST /api/articles/7/comments?x=%%20 HTTP/1.1\r\nHost: a\r\nX-User-Id: %b\r\nCookie: s=1\r\n%b"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (sender, headers, len(body), body)
        )
        await asyncio.sleep(0)
        self.link.received(self.wire, self.facts())
        await asyncio.sleep(0)

    def answer(self, number: int = 0) -> tuple[int, dict[str, str], dict[str, Any]]:
        head, _, body = self.transports[number].last.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return int(status.split()[1]), fields, orjson.loads(body)

    def records(self) -> list[dict[str, Any]]:
        self.journal.close()
        found = [entry.record for entry in merged(self.root / "journal", pytest.fail)]
        return [one for one in found if one["kind"] in ("judged", "outcome")]


async def test_it_is_parked_before_anything_is_recorded_or_told(tmp_path: Path) -> None:
    course = Held()
    await course.build(tmp_path)
    await course.say()
    assert course.transports[0].last == b""
    assert course.journal.counters.records == course.journal.counters.batches  # the log's own
    (parked,) = course.spool.done()
    assert course.transports[0].last == b""  # recorded first
    course.journal.flush()
    status, fields, told = course.answer()
    assert status == 202
    assert fields["content-type"] == "application/json"
    assert told["status"] == "held"
    assert told["message_id"] == fields["tidegate-message-id"] == parked.id
    assert told["status_url"] == f"/tidegate/review/{parked.id}.{course.spool.seal.token(parked.id)}"
    assert told["title"] == "Your message waits for review"
    assert "retry-after" not in fields
    assert parked.texts == ("hello",)
    assert (parked.method, parked.target, parked.body) == (
        "POST",
        "/api/articles/7/comments?x=%20",
        b'{"content":"hello"}',
    )
    assert ("cookie", "s=1") in parked.headers
    assert (parked.reason, parked.ground) == ("review.required", "comment provisions 5(3)")
    judged, outcome = course.records()
    assert (judged["verdict"], judged["id"]) == ("hold", parked.id)
    assert list(parked.findings) == judged["findings"]
    assert (outcome["state"], outcome["id"], len(outcome["digest"])) == ("held", parked.id, 64)


async def test_it_is_told_in_chinese(tmp_path: Path) -> None:
    course = Held()
    await course.build(tmp_path)
    await course.say(headers=b"Accept-Language: zh\r\n")
    course.spool.done()
    course.journal.flush()
    assert course.answer()[2]["title"] == "内容待审核"
    course.journal.close()


@pytest.mark.parametrize("on_error", ["reject", "hold"])
async def test_what_cannot_be_parked_is_refused(tmp_path: Path, on_error: str) -> None:
    course = Held(on_error)
    await course.build(tmp_path)
    await course.say()
    course.spool.failed("disk")
    course.journal.flush()
    status, fields, told = course.answer()
    assert (status, told["reason"]) == (503, "review.unavailable")
    assert "retry-after" in fields
    await asyncio.sleep(0)
    assert course.state.last.count(GIVE_BACK.by_digest) == 1  # who tries again repeats nothing
    (judged,) = course.records()
    assert judged["verdict"] == "reject"
    assert judged["degraded"] == ["review:disk"]
    assert judged["findings"][0]["detail"] == {"cause": "disk", "found": "review.required"}
    assert course.app.waiting.total == 0


@pytest.mark.parametrize("on_error", ["pass", "label"])
async def test_what_cannot_be_parked_goes_on_where_the_rule_says_so(tmp_path: Path, on_error: str) -> None:
    course = Held(on_error)
    await course.build(tmp_path)
    await course.say()
    course.spool.failed("queue")
    course.journal.flush()
    (busy,) = [connection for connection in course.pool.connections if connection.call is not None]
    sent = busy._transport.last  # type: ignore[attr-defined]  # a feigned one
    assert (b"Tidegate-Label: review.unavailable" in sent) == (on_error == "label")
    (judged, *_) = course.records()
    assert (judged["verdict"], judged["degraded"]) == ("pass", ["review:queue"])
    told = judged["shadow" if on_error == "pass" else "findings"]
    assert {one["effect"] for one in told} == {"hold" if on_error == "pass" else "label"}


async def test_the_fourth_of_a_sender_is_refused_and_others_are_not(tmp_path: Path) -> None:
    course = Held()
    await course.build(tmp_path)
    for number in range(3):
        await course.say(number, text=f"text {number}")
    await course.say(4, sender=b"bob")
    await course.say(3, text="one more")
    assert len(course.spool.done()) == 4
    course.journal.flush()
    statuses = [course.answer(number)[0] for number in range(5)]
    assert statuses == [202, 202, 202, 429, 202]
    assert course.answer(3)[2]["reason"] == "review.waiting"
    refused = next(one for one in course.records() if one.get("verdict") == "reject")
    assert "degraded" not in refused


@pytest.mark.parametrize(("on_cap", "status"), [("reject", 503), ("pass", 0), ("label", 0)])
async def test_beyond_the_mark_it_is_worth_what_the_table_says(tmp_path: Path, on_cap: str, status: int) -> None:
    course = Held(on_cap=on_cap)
    await course.build(tmp_path)
    counts = {"version": 1, "whole": True, "total": 10_000, "senders": {}, "rooms": {}}
    assert course.app.waiting.told(counts) == {"ok": True, "version": 1}
    await course.say()
    course.journal.flush()
    assert course.spool.waiting == []
    if status:
        assert course.answer()[2]["reason"] == "review.full"
    else:
        assert [connection for connection in course.pool.connections if connection.call is not None]
    (judged, *_) = course.records()
    assert judged["verdict"] == ("reject" if status else "pass")
    assert judged.get("degraded", []) == (["review:all"] if on_cap == "pass" else [])


async def test_a_finding_that_refuses_weighs_more(tmp_path: Path) -> None:
    course = Held()
    await course.build(tmp_path)
    word = (tmp_path / "words.txt").read_text(encoding="utf-8").splitlines()[-1]
    await course.say(text=word)
    course.journal.flush()
    assert course.spool.waiting == []
    assert course.answer()[2]["reason"] == "keyword.match"
    course.journal.close()


async def test_a_journal_that_fails_behind_the_parking_promises_nothing(tmp_path: Path) -> None:
    course = Held()
    await course.build(tmp_path)
    await course.say()
    course.journal.available = False
    course.spool.done()
    await asyncio.sleep(0)
    status, _, told = course.answer()
    assert (status, told["reason"]) == (503, "journal.unavailable")
    assert course.records() == []


async def test_a_fault_behind_the_parking_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course = Held()
    await course.build(tmp_path)
    await course.say()

    def broken(*_: object) -> None:
        raise RuntimeError("text of a message")

    monkeypatch.setattr("gateway.journal.write.record.judged", broken)
    course.spool.done()
    assert course.answer()[0] == 500
    course.journal.close()


async def test_a_reload_without_the_table_holds_no_more(tmp_path: Path) -> None:
    course = Held()
    await course.build(tmp_path)
    course.app._pipeline.holding = None
    await course.say()
    course.journal.flush()
    assert course.answer()[2]["reason"] == "review.unavailable"
    course.journal.close()


@pytest.mark.parametrize("mine", [True, False])
async def test_a_ticket_counts_for_whoever_took_it_first(tmp_path: Path, mine: bool) -> None:
    course = Held()
    await course.build(tmp_path)
    ticket = TicketRow(7, "article-comments", "7", "alice", digest(("hello",)), 1 << 40)
    course.app.on_snapshot(encode(SnapshotRows(1, tickets=(ticket,))))
    body = b'{"content":"hello"}'
    course.state.last = b""
    course.clients[0].data_received(
        b"POST /api/articles/7/comments HTTP/1.1\r\nHost: a\r\nX-User-Id: alice\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    await asyncio.sleep(0)
    assert b":t:{7}" in course.state.last  # asked for, and nothing else
    course.link.received(course.wire, b"+OK\r\n" if mine else b"$-1\r\n")
    await asyncio.sleep(0)
    course.link.received(course.wire, course.facts())
    await asyncio.sleep(0)
    assert len(course.spool.waiting) == (0 if mine else 1)
    assert course.app._used_tickets == ({7: course.records()[0]["id"]} if mine else {})
