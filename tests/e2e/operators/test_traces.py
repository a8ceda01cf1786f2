"""Spans as a receiver of OTLP gets them: from a client's request to the platform's, and back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from rig.ports import free_port
from tests.e2e.lab import Lab, lab
from tests.e2e.socketlab import message, socket_lab, told
from tests.e2e.upstream import created

pytestmark = pytest.mark.asyncio(loop_scope="module")

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
SAMPLED, UNSAMPLED = f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00"
SECRET = "13800138000"
ALL = "\n[traces]\nsample = 1.0\n"
ASKED = 500
TRUSTED = 'trusted_proxies = ["127.0.0.0/8"]'


class Receiver:
    """OTLP over HTTP on this machine: keeps every span, answers as it is told."""

    def __init__(self, port: int = 0) -> None:
        self.spans: list[Span] = []
        self.resources: list[dict[str, str]] = []
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if receiver.status == 200:
                    receiver.take(self.path, body)
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nobody reads it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def take(self, path: str, body: bytes) -> None:
        assert path == "/v1/traces"
        for of in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resources.append({one.key: one.value.string_value for one in of.resource.attributes})
            for scope in of.scope_spans:
                self.spans += scope.spans

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    async def traces(self, number: int, within: float = 60.0) -> dict[str, list[Span]]:
        """The spans by trace, once there are so many traces."""
        async with asyncio.timeout(within):
            while True:
                found: dict[str, list[Span]] = {}
                for span in self.spans:
                    found.setdefault(span.trace_id.hex(), []).append(span)
                if len(found) >= number:
                    return found
                await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
def listening() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def receiver(listening: Receiver) -> Receiver:
    """With nothing in it."""
    listening.spans.clear()
    return listening


@pytest.fixture(autouse=True, scope="module")
def environment(listening: Receiver) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{listening.port}")
        patch.setenv("OTEL_SERVICE_NAME", "front-door")
        yield


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory, environment: None) -> AsyncIterator[Lab]:
    async with lab(tmp_path_factory.mktemp("traces"), server=TRUSTED, more=ALL) as made:
        yield made


def named(spans: list[Span]) -> dict[str, Span]:
    assert len({span.span_id for span in spans}) == len(spans)
    return {span.name: span for span in spans}


def attributes(span: Span) -> dict[str, Any]:
    return {one.key: getattr(one.value, str(one.value.WhichOneof("value"))) for one in span.attributes}


def within(inner: Span, outer: Span) -> bool:
    return (
        outer.start_time_unix_nano <= inner.start_time_unix_nano <= inner.end_time_unix_nano <= outer.end_time_unix_nano
    )


async def test_a_comment_is_one_trace_from_client_to_platform(gate: Lab, receiver: Receiver) -> None:
    passed = await gate.node.say("alice", f"my number is {SECRET}", traceparent=SAMPLED, tracestate="a=1")
    assert passed.status == 201
    (spans,) = (await receiver.traces(1)).values()
    by = named(spans)
    request, check, state, upstream = (
        by[name] for name in ("POST /api/articles/{room}/comments", "check", "state", "upstream")
    )
    assert [span.parent_span_id.hex() for span in (request, check, state, upstream)] == [
        PARENT, request.span_id.hex(), check.span_id.hex(), request.span_id.hex()
    ]  # fmt: skip
    kinds = Span.SPAN_KIND_SERVER, Span.SPAN_KIND_INTERNAL, Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_CLIENT
    assert (request.kind, check.kind, state.kind, upstream.kind) == kinds
    assert within(check, request)
    assert within(state, check)
    assert within(upstream, request)
    assert check.end_time_unix_nano <= upstream.start_time_unix_nano
    assert attributes(request) == {
        "http.request.method": "POST", "http.response.status_code": 201, "tidegate.route": "comments",
        "http.route": "/api/articles/{room}/comments",
    }  # fmt: skip
    assert attributes(check) == {"tidegate.disposition": "pass"}
    assert attributes(upstream) == {"http.response.status_code": 201}
    heard = gate.upstream.received[-1].headers
    assert heard["traceparent"] == f"00-{TRACE}-{upstream.span_id.hex()}-01"
    assert heard["tracestate"] == "a=1"
    assert gate.judged(passed.headers["tidegate-message-id"])["trace"] == TRACE
    assert receiver.resources[0]["service.name"] == "front-door"
    for word in (SECRET, "alice", "127.0.0.1", "/articles/1"):
        assert word not in str(receiver.spans)
    assert await gate.node.metric("tidegate_traces_lost_total") == 0


async def test_what_was_refused_and_what_failed_say_so(gate: Lab, receiver: Receiver) -> None:
    refused = await gate.node.say("alice", "代开发票")
    assert refused.status == 403
    (spans,) = (await receiver.traces(1)).values()
    by = named(spans)
    assert set(by) == {"POST /api/articles/{room}/comments", "check", "state"}
    assert attributes(by["check"]) == {"tidegate.disposition": "reject", "tidegate.reason": "keyword.match"}
    request = by["POST /api/articles/{room}/comments"]
    assert request.status.code == Status.STATUS_CODE_UNSET
    assert (attributes(request)["tidegate.reason"], request.parent_span_id) == ("keyword.match", b"")
    receiver.spans.clear()

    async def gone(request: Any, reader: Any, writer: asyncio.StreamWriter) -> None:
        writer.close()

    gate.upstream.behave = gone
    failed = await gate.node.say("alice", "and again")
    assert failed.status == 502
    (spans,) = (await receiver.traces(1)).values()
    by = named(spans)
    request, upstream = by["POST /api/articles/{room}/comments"], by["upstream"]
    assert request.status.code == upstream.status.code == Status.STATUS_CODE_ERROR
    assert attributes(request)["error.type"] == upstream.status.message == "upstream.closed"
    receiver.spans.clear()
    gate.upstream.behave = created
    assert (await gate.node.ask("GET", "/anything")).status == 201
    (spans,) = (await receiver.traces(1)).values()
    assert set(named(spans)) == {"GET", "upstream"}  # nobody judges it
    receiver.spans.clear()
    await gate.node.ask("TELL-BOB", "/anything")  # whatever becomes of it
    (spans,) = (await receiver.traces(1)).values()
    assert attributes(named(spans)["HTTP"])["http.request.method"] == "_OTHER"
    assert "BOB" not in str(spans)


async def test_about_the_share_is_sampled_and_parents_are_heard(gate: Lab, receiver: Receiver) -> None:
    text = gate.config.read_text(encoding="utf-8")
    gate.config.write_text(text.replace("sample = 1.0", "sample = 0.2"), encoding="utf-8")
    assert (await gate.node.manage("POST", "/v1/reload", {"reason": "test"})).json()["result"]["ok"]

    async def ask(number: int, **fields: str) -> None:
        for _ in range(number):
            assert (await gate.node.ask("GET", "/page", headers=fields)).status == 201

    gate.upstream.received.clear()
    receiver.spans.clear()
    await asyncio.gather(*(ask(ASKED // 10) for _ in range(10)))
    flags = [one.headers["traceparent"].rpartition("-")[2] for one in gate.upstream.received]
    sampled = flags.count("01")
    assert len(flags) == ASKED
    assert 55 <= sampled <= 145  # five standard deviations
    assert flags.count("00") == ASKED - sampled
    assert len(await receiver.traces(sampled)) == sampled
    known = {one.headers["traceparent"].split("-")[1] for one in gate.upstream.received
             if one.headers["traceparent"].endswith("-01")}  # fmt: skip
    assert set(await receiver.traces(sampled)) == known
    receiver.spans.clear()
    await ask(20, traceparent=UNSAMPLED)
    assert {one.headers["traceparent"] for one in gate.upstream.received[-20:]} == {UNSAMPLED}
    await ask(1, traceparent=SAMPLED)
    assert set(await receiver.traces(1)) == {TRACE}
    assert len([span for span in receiver.spans if span.kind == Span.SPAN_KIND_SERVER]) == 1


async def test_messages_on_a_socket_are_sampled_each(tmp_path: Path, receiver: Receiver) -> None:
    async with socket_lab(tmp_path, more=ALL) as here, here.connect("/chat/d") as client:
        await client.send(message("hello"))
        await told(client)
        found = await receiver.traces(2)
        by = {name: span for spans in found.values() for name, span in named(spans).items()}
        handshake = next(span for name, span in by.items() if name.startswith("GET "))
        judged = next(span for name, span in by.items() if name.startswith("message "))
        assert attributes(handshake)["http.response.status_code"] == 101
        assert (judged.kind, judged.trace_id != handshake.trace_id) == (Span.SPAN_KIND_CONSUMER, True)
        assert by["check"].parent_span_id == judged.span_id
        assert within(by["check"], judged)
        assert "hello" not in str(receiver.spans)


async def test_a_receiver_that_is_away_costs_a_bounded_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    async with lab(tmp_path, more="\n[traces]\nsample = 1.0\nqueue = 512\n") as here:

        async def ask(number: int) -> None:
            for _ in range(number):
                assert (await here.node.ask("GET", "/page")).status == 201

        await asyncio.gather(*(ask(100) for _ in range(4)))  # 800 spans
        async with asyncio.timeout(60):
            while not (await here.node.metric("tidegate_spans_lost_total") and "traces.export_failed" in log(here)):
                await asyncio.sleep(0.1)
        assert await here.node.metric("tidegate_spans_waiting") <= 512
        receiver = Receiver(port)
        try:
            async with asyncio.timeout(60):
                while await here.node.metric("tidegate_spans_exported_total") == 0:
                    await asyncio.sleep(0.1)
                while await here.node.metric("tidegate_spans_waiting"):
                    await asyncio.sleep(0.1)
                names = ("spans_lost", "traces_lost", "spans_exported")
                told = 0.0  # of the last batch nothing is told until it has been taken
                while told < 800:
                    lost, older, exported = [await here.node.metric(f"tidegate_{name}_total") for name in names]
                    told = lost + older + exported
                    await asyncio.sleep(0.05)
            assert told == 800
            assert len(receiver.spans) >= exported
        finally:
            receiver.close()
        assert log(here).count("traces.export_failed") == log(here).count("traces.exported_again") == 1


def log(here: Lab) -> str:
    return here.node.told(everything=True)
