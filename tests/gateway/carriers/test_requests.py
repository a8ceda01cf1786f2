"""The gate's own safety nets; what it decides is held over real sockets (``tests/e2e``)."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import orjson
import pytest
from structlog.testing import capture_logs

from filters.model.verdict import Scan
from filters.reading.keywords import Scanner
from gateway.http.server.server_protocol import ServerProtocol
from gateway.journal.read.reader import merged
from gateway.logs.logs import place
from gateway.state.hot.scripts import GIVE_BACK
from gateway.surfaces.input.decoded import Changes, Messages
from gateway.surfaces.surface import Surface
from rig.worker import Course


def broken(body: bytes, changes: Changes) -> bytes | None:
    raise RuntimeError("text of a message")


def send(course: Course) -> list[ServerProtocol]:
    """The clients of one turn, each of which has sent a comment."""
    clients, requests = next(iter(course.drawn()))
    for client, request in zip(clients, requests, strict=True):
        client.data_received(request)
    return clients


async def test_a_fault_behind_the_verdict_is_answered_and_settled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = Course()
    await course.build(tmp_path, 100)
    whole = Surface.decode

    def decode(self: Surface, request: object, body: bytes) -> object:
        decoded = whole(self, request, body)  # type: ignore[arg-type]
        assert isinstance(decoded, Messages)
        return decoded._replace(encode=broken, stamped=True)

    monkeypatch.setattr(Surface, "decode", decode)
    clients = send(course)
    await asyncio.sleep(0)  # state is asked at the end of the loop's turn
    with capture_logs(processors=[place]) as told:
        course.link.received(course.wire, course.facts())
    for transport in course.transports[: len(clients)]:
        head, _, body = transport.last.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 500 ")
        assert orjson.loads(body)["reason"] == "gateway.failure"
    assert {(line["event"], line["error"]) for line in told} == {("request.failed", "builtins.RuntimeError")}
    assert "text of a message" not in str(told)
    course.journal.close()
    outcomes = [
        entry.record for entry in merged(tmp_path / "journal", pytest.fail) if entry.record["kind"] == "outcome"
    ]
    assert {(record["state"], record["reason"]) for record in outcomes} == {("failed", "gateway.failure")}
    assert len(outcomes) == len(clients)


async def test_a_fault_of_judging_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course = Course()
    await course.build(tmp_path, 100)

    def judge(*_: object) -> None:
        raise RuntimeError("text of a message")

    clients = send(course)
    await asyncio.sleep(0)
    monkeypatch.setattr("gateway.judging.pipeline.judge", judge)
    with capture_logs(processors=[place]) as told:
        course.link.received(course.wire, course.facts())
    for transport in course.transports[: len(clients)]:
        assert transport.last.startswith(b"HTTP/1.1 500 ")
    await asyncio.sleep(0)
    assert course.state.last.count(GIVE_BACK.by_digest) == len(clients)  # whoever tries again is not refused for it
    course.journal.close()
    assert not [entry for entry in merged(tmp_path / "journal", pytest.fail) if entry.record["kind"] == "judged"]
    assert told
    assert "text of a message" not in str(told)


async def test_a_message_that_cannot_be_read_takes_none_of_its_turn_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = Course()
    await course.build(tmp_path, 100)
    whole = Scanner.scan
    read: list[tuple[str, ...]] = []

    def scan(self: Scanner, texts: tuple[str, ...]) -> Scan:
        read.append(texts)
        if len(read) == 3:
            raise RuntimeError("text of a message")
        return whole(self, texts)

    monkeypatch.setattr(Scanner, "scan", scan)
    clients = send(course)
    assert not read  # they are read together, once all of the turn are there
    with capture_logs(processors=[place]) as told:
        await asyncio.sleep(0)
    assert len(read) == len(clients)
    assert course.link.waiting == len(clients) - 1
    head, _, body = course.transports[2].last.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 500 ")
    assert orjson.loads(body)["reason"] == "gateway.failure"
    course.link.received(course.wire, course.facts())
    course.journal.close()
    judged = [entry.record for entry in merged(tmp_path / "journal", pytest.fail) if entry.record["kind"] == "judged"]
    assert len(judged) == len(clients) - 1
    assert told
    assert "text of a message" not in str(told)


async def test_records_and_platform_know_a_request_by_the_same_trace(tmp_path: Path) -> None:
    course = Course()
    await course.build(tmp_path, 100)
    server, gate = course.app._server, course.app._gate
    server.settings = dataclasses.replace(server.settings, traces=True)
    gate.traces = True
    clients = send(course)
    await asyncio.sleep(0)
    course.link.received(course.wire, course.facts())
    sent = [
        connection._transport.last  # type: ignore[attr-defined]  # a feigned one
        for connection in course.pool.connections
        if connection.call is not None
    ]
    on_their_way = {
        line.split(b"-")[1].decode() for head in sent for line in head.split(b"\r\n") if b"traceparent" in line
    }
    course.journal.close()
    judged = [entry.record for entry in merged(tmp_path / "journal", pytest.fail) if entry.record["kind"] == "judged"]
    assert len(on_their_way) == len(clients) == len(judged)
    assert {record["trace"] for record in judged} == on_their_way
    assert all(head.count(b"traceparent") == head.count(b"X-Request-Id") == 1 for head in sent)


async def test_without_traces_records_name_none(tmp_path: Path) -> None:
    course = Course()
    await course.build(tmp_path, 100)
    send(course)
    await asyncio.sleep(0)
    course.link.received(course.wire, course.facts())
    course.journal.close()
    judged = [entry.record for entry in merged(tmp_path / "journal", pytest.fail) if entry.record["kind"] == "judged"]
    assert judged
    assert not any("trace" in record for record in judged)
