"""The harness of ``make differential`` itself; it runs against platforms, so not here."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.websocket.frames import ControlFrame, FrameParser, SocketMessage
from tools.differential import addresses, corpus, frames
from tools.differential.framing import framed
from tools.differential.gate import Judged, Reading, differs
from tools.differential.places import NAMES, program

SENT = corpus.Sent("both", (), "", b"content=hello")
JUDGED = Judged(("hello", "second"), "1", "alice")


def reading(views: dict[str, list[str]], judged: Judged | None = JUDGED, sent: corpus.Sent = SENT) -> Reading:
    return Reading("node", sent, 201, True, judged, views)


@pytest.mark.parametrize(
    ("views", "wrong"),
    [
        ({"form": ["hello"], "query": []}, ""),
        ({"form": ["hello"], "query": ["BAD"]}, "query"),
        ({"form": ["hello", "BAD"]}, "form"),
        ({"form": [""]}, ""),
        ({"json": ["second"]}, ""),
        ({"@room: router": ["1"], "@sender: cookie": ["alice"], "@method: x": ["POST"]}, ""),
        ({"@room: router": ["01"]}, "@room: router"),
        ({"@sender: cookie": ["bob"]}, "@sender: cookie"),
        ({"@method: x": ["POST", "PUT"]}, "@method: x"),
    ],
)
def test_what_was_not_judged_is_a_divergence(views: dict[str, list[str]], wrong: str) -> None:
    assert differs(reading(views)) == wrong


def test_bytes_taken_for_latin_1_are_the_same_bytes() -> None:
    judged = Judged(("caf\u00e9",), "1", "alice")
    assert differs(reading({"form": ["caf\u00c3\u00a9"]}, judged)) == ""
    assert differs(reading({"form": ["caf\ufffd\ufffd"]}, judged)) == "form"


def test_a_message_that_nobody_judged_is_one() -> None:
    assert differs(reading({"@room: router": ["1"]}, None)) == "@room: router, unjudged"
    assert differs(reading({"@room: router": []}, None)) == ""
    assert differs(reading({"@room: router": ["1"]}, None, SENT._replace(method="OPTIONS"))) == ""
    edits = SENT._replace(target="/edits/1")
    assert differs(reading({"@method: x": ["put"]}, None, edits)) == "@method: x, unjudged"
    assert differs(reading({"@method: x": ["POST"]}, None, edits)) == ""
    assert differs(reading({"@method: x": ["PUT"]}, None, SENT._replace(target="/other"))) == ""


def test_what_the_gate_refused_is_none() -> None:
    assert differs(Reading("node", SENT, 400, False, None, {})) == ""


def test_the_corpus_is_the_same_each_time_and_bounded() -> None:
    seeds = list(corpus.seeds())
    assert {sent.route for sent in seeds} == set(corpus.FIELD)
    besides = list(addresses.besides())
    assert {sent.route for sent in besides} <= set(corpus.KINDS)
    known = [*seeds, *besides]
    assert len(known) < 20_000
    first, second = list(corpus.mutated(50, 1, known)), list(corpus.mutated(50, 1, known))
    assert first == second != list(corpus.mutated(50, 2, known))
    assert all(len(sent.body) <= 4000 for sent in first)
    assert not any("\n" in sent.path for sent in corpus.mutated(500, 3, known))


def test_every_framing_is_made_and_most_are_whole() -> None:
    for sent in addresses.framing():
        lines, body = framed(sent.body, sent.framing)
        assert lines
        if sent.framing in ("length", "chunked"):
            assert sent.body in body


@pytest.mark.parametrize("size", [0, 5, 125, 126, 65_535, 65_536])
def test_frames_are_frames(size: int) -> None:
    """As the gate's own parser reads them."""
    parser = FrameParser(masked=True, max_message=1 << 20)
    (read,) = parser.feed(frames.frame(frames.TEXT, b"a" * size))
    assert isinstance(read, SocketMessage)
    assert (read.opcode, read.payload) == (frames.TEXT, b"a" * size)


def test_a_message_in_fragments_is_the_message() -> None:
    parser = FrameParser(masked=True)
    ping, read = parser.feed(frames.split(b"hello", 2, between=frames.frame(frames.PING, b"x")))
    assert isinstance(ping, ControlFrame)
    assert isinstance(read, SocketMessage)
    assert read.payload == b"hello"


def test_a_text_that_only_the_platform_has_is_wrong() -> None:
    sent = frames.Frames("x", b"")
    assert frames.SocketReading("node", sent, ("BAD",), ("hello",)).wrong
    assert not frames.SocketReading("node", sent, ("hello", ""), ("hello", "more")).wrong
    assert len({case.name for case in frames.cases()}) == len(list(frames.cases()))


@pytest.mark.parametrize("name", NAMES)
def test_each_platform_is_started_with_its_port(name: str) -> None:
    assert any("4242" in word for word in program(name, Path("/nowhere"), 4242))
