"""Cutting a relayed stream: nothing is lost, and what is inserted never lands inside a frame or a message."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.websocket.boundary import BoundaryTracker
from gateway.websocket.frames import FrameParser, SocketMessage, frame, masked_frame
from gateway.websocket.opcodes import BINARY, CLOSE, CONTINUATION, PING, TEXT

OURS = frame(TEXT, b"ours")


def pieces(data, cuts):
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


@st.composite
def messages(draw):
    """A server's stream: whole and fragmented messages, pings anywhere."""
    stream = b""
    for _ in range(draw(st.integers(0, 5))):
        parts = draw(st.lists(st.binary(max_size=200), min_size=1, max_size=3))
        for index, part in enumerate(parts):
            stream += frame(BINARY if index == 0 else CONTINUATION, part, final=index == len(parts) - 1)
            if draw(st.booleans()):
                stream += frame(PING, b"p")
    return stream


@settings(max_examples=300, deadline=None)
@given(messages(), st.lists(st.integers(0, 900), max_size=8), st.booleans())
def test_insertions_never_break_the_stream(stream, cuts, everywhere):
    tracker = BoundaryTracker()
    relayed, sent, inserted = b"", b"", 0
    for piece in pieces(stream, [*cuts, *(range(len(stream)) if everywhere else ())]):
        possible_before = tracker.between_messages
        whole, rest = tracker.feed(piece)
        assert whole + rest == piece
        sent += whole
        relayed += whole
        if whole or possible_before:
            relayed += OURS
            inserted += 1
        sent += rest
        relayed += rest
        assert tracker.between_messages is (tracker.between_frames and not rest and not tracker._in_message)
    assert sent == stream
    assert tracker.error is None
    assert tracker.between_messages
    reader = FrameParser(masked=False, max_message=10_000)
    events = reader.feed(relayed)
    assert [event for event in events if event.payload != b"ours"] == FrameParser(
        masked=False, max_message=10_000
    ).feed(stream)
    assert sum(isinstance(event, SocketMessage) and event.payload == b"ours" for event in events) == inserted


@settings(max_examples=400, deadline=None)
@given(messages(), st.lists(st.integers(0, 900), max_size=8), st.lists(st.binary(max_size=6), max_size=3))
def test_a_whole_frame_is_what_cutting_says_of_it(stream, cuts, odd):
    quick, careful = BoundaryTracker(), BoundaryTracker()
    for piece in [*pieces(stream, cuts), *odd]:
        if not piece:
            continue
        if quick.whole(piece):
            assert careful.cut(piece) == len(piece)
        else:
            assert quick.cut(piece) == careful.cut(piece)
        assert careful.error == quick.error
        assert (quick.frames, quick.closed, quick.between_messages) == (
            careful.frames, careful.closed, careful.between_messages,
        )  # fmt: skip


def test_whole_frames_are_told_from_the_rest():
    for size, told in ((0, False), (2, True), (125, True), (126, True), (65_535, True), (65_536, False)):
        data = frame(BINARY, b"x" * size)
        assert BoundaryTracker().whole(data) is told
        assert not BoundaryTracker().whole(data[:-1])
        assert not BoundaryTracker().whole(data + b"\x82")
    for other in (frame(TEXT, b"part", final=False), frame(CONTINUATION, b"end"), frame(PING, b"ping")):
        assert not BoundaryTracker().whole(other)
    amid = BoundaryTracker()
    amid.cut(frame(TEXT, b"part", final=False))
    assert not amid.whole(frame(TEXT, b"not now"))
    closed = BoundaryTracker()
    closed.cut(frame(CLOSE, b""))
    assert not closed.whole(frame(TEXT, b"too late"))


def test_amid_a_message_only_control_frames_fit():
    tracker = BoundaryTracker()
    first = frame(TEXT, b"a", final=False)
    assert tracker.feed(first) == (b"", first)
    assert tracker.between_frames
    assert not tracker.between_messages
    last = frame(CONTINUATION, b"b")
    assert tracker.feed(last + first) == (last, first)


def test_a_large_frame_in_many_pieces():
    data = frame(BINARY, b"x" * 100_000)
    tracker = BoundaryTracker()
    for at in range(0, len(data) - 1, 1000):
        assert tracker.feed(data[at : min(at + 1000, len(data) - 1)])[0] == b""
    assert tracker.feed(data[-1:]) == (data[-1:], b"")


def test_whole_frames_are_not_copied():
    data = frame(TEXT, b"x" * 100) * 3
    assert BoundaryTracker().feed(data)[0] is data


def test_a_close_is_seen():
    tracker = BoundaryTracker()
    tracker.feed(frame(TEXT, b"bye") + frame(CLOSE, b"\x03\xe8"))
    assert tracker.closed


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b"\x81\x80abcd", "websocket.mask"),
        (b"\xc1\x00", "websocket.reserved"),
        (b"\x83\x00", "websocket.reserved"),
        (b"\x8b\x00", "websocket.reserved"),
        (b"\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00", "websocket.length"),
    ],
)
@pytest.mark.parametrize("step", [1, 100])
def test_a_broken_stream_is_cut_before_the_break(broken, reason, step):
    tracker = BoundaryTracker()
    good = frame(TEXT, b"good")
    data = good + broken + good
    out = b"".join(b"".join(tracker.feed(piece)) for piece in pieces(data, range(0, len(data), step)))
    assert tracker.error.reason == reason
    assert tracker.error.code == 1002
    if step == 100:
        assert out == good
    else:
        assert out.startswith(good)
        assert len(out) < len(good + broken)
    assert tracker.feed(good) == (b"", b"")


def test_agreed_extensions_may_use_reserved_bits():
    tracker = BoundaryTracker(extensions=True)
    assert tracker.feed(b"\xc1\x01x") == (b"\xc1\x01x", b"")


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_messages_and_control_frames_are_counted(step):
    tracker = BoundaryTracker()
    data = frame(TEXT, b"a", final=False) + frame(PING, b"p") + frame(CONTINUATION, b"b") + frame(BINARY, b"c" * 70000)
    for piece in pieces(data, range(0, len(data), step)):
        tracker.feed(piece)
    assert tracker.frames == 3
    assert (tracker.closed, tracker.close_code) == (False, 0)


@pytest.mark.parametrize(("payload", "code"), [(b"\x0f\xa0bye", 4000), (b"\x03\xe8", 1000), (b"", 1005)])
def test_the_code_of_a_close_frame_is_kept(payload, code):
    tracker = BoundaryTracker()
    tracker.feed(frame(TEXT, b"a") + frame(CLOSE, payload))
    assert (tracker.closed, tracker.close_code) == (True, code)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([TEXT, BINARY, PING]), st.sampled_from([0, 1, 125, 126, 300, 70_000])), max_size=6
    ),
    st.integers(1000, 4999),
    st.lists(st.integers(0, 90_000), max_size=8),
)
def test_a_clients_close_frame_is_found_however_it_is_cut(sent, code, cuts):
    stream = b"".join(masked_frame(opcode, b"x" * min(size, 125 if opcode == PING else size)) for opcode, size in sent)
    tracker = BoundaryTracker(masked=True)
    for piece in pieces(stream, cuts):
        if not tracker.whole(piece):
            tracker.cut(piece)
    assert (tracker.closed, tracker.error, tracker.between_messages) == (False, None, True)
    assert tracker.frames == len(sent)
    close = masked_frame(CLOSE, code.to_bytes(2, "big") + b"bye")
    tracker.cut(close)
    assert (tracker.closed, tracker.close_code) == (True, code)


def test_a_client_that_does_not_mask_is_broken():
    tracker = BoundaryTracker(masked=True)
    for length in (0, 4, 122, 125, 127):
        assert not tracker.whole(bytes([0x81, length]) + b"x" * length)
    tracker.cut(frame(TEXT, b"hello"))
    assert tracker.error is not None
