"""The frame parser against the RFC's rules and, as an oracle, the parser of the websockets library."""

from __future__ import annotations

import codecs
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from websockets import exceptions
from websockets.protocol import OPEN, SERVER, Protocol

from gateway.websocket.frames import (
    REASONS,
    ControlFrame,
    FrameParser,
    ProtocolError,
    SocketMessage,
    close_frame,
    close_payload,
    frame,
    mask,
    masked_frame,
)
from gateway.websocket.opcodes import BINARY, CLOSE, CONTINUATION, NO_STATUS, PING, PONG, TEXT, may_be_sent

KEY = b"\x37\xfa\x21\x3d"
BOUND = 300


def client(opcode, payload=b"", *, final=True, key=KEY):
    return masked_frame(opcode, payload, final=final, key=key)


def parse(data, cuts=(), **bounds):
    """All events of ``data``, fed in pieces cut at ``cuts``."""
    parser = FrameParser(masked=True, **{"max_message": BOUND, **bounds})
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [event for a, b in pairwise(edges) for event in parser.feed(data[a:b])]


def refused(reason):
    return ProtocolError(reason, REASONS[reason][0])


def test_the_rfcs_examples():
    """Section 5.7."""
    hello = bytes.fromhex("8185 37fa213d 7f9f4d5158")
    assert parse(hello) == [SocketMessage(TEXT, b"Hello", hello)]
    unmasked = FrameParser(masked=False)
    assert unmasked.feed(bytes.fromhex("810548656c6c6f"))[0].payload == b"Hello"
    fragments = bytes.fromhex("010348656c 80026c6f")
    assert unmasked.feed(fragments) == [SocketMessage(TEXT, b"Hello", fragments)]
    assert unmasked.feed(bytes.fromhex("890548656c6c6f")) == [
        ControlFrame(PING, b"Hello", bytes.fromhex("890548656c6c6f"))
    ]


@pytest.mark.parametrize("length", [0, 1, 3, 4, 5, 125, 126, 127, 128, 65535, 65536, 70000])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_lengths(length, opcode):
    payload = bytes(i % 127 for i in range(length))
    data = client(opcode, payload)
    assert parse(data, max_message=70000) == [SocketMessage(opcode, payload, data)]
    assert parse(data, range(0, len(data), 4096), max_message=70000) == [SocketMessage(opcode, payload, data)]


REFUSED = {
    "reserved bit 1": (bytes([0xC1, 0x80]) + KEY, "websocket.reserved"),
    "reserved bit 2": (bytes([0xA1, 0x80]) + KEY, "websocket.reserved"),
    "reserved bit 3 on a control frame": (bytes([0x99, 0x80]) + KEY, "websocket.reserved"),
    "reserved opcode 3": (bytes([0x83, 0x80]) + KEY, "websocket.reserved"),
    "reserved opcode 7": (bytes([0x87, 0x80]) + KEY, "websocket.reserved"),
    "reserved opcode 11": (bytes([0x8B, 0x80]) + KEY, "websocket.reserved"),
    "reserved opcode 15": (bytes([0x8F, 0x80]) + KEY, "websocket.reserved"),
    "not masked": (b"\x81\x02hi", "websocket.mask"),
    "long ping": (bytes([0x89, 0xFE, 0, 126]) + KEY + b"x" * 126, "websocket.control"),
    "fragmented ping": (bytes([0x09, 0x80]) + KEY, "websocket.control"),
    "length 5 in two bytes": (bytes([0x82, 0xFE, 0, 5]) + KEY + b"xxxxx", "websocket.length"),
    "length 300 in eight bytes": (bytes([0x82, 0xFF, 0, 0, 0, 0, 0, 0, 1, 44]) + KEY, "websocket.length"),
    "negative length": (bytes([0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0]) + KEY, "websocket.length"),
    "announced too large": (bytes([0x82, 0xFE, 1, 45]), "websocket.too_large"),
    "huge": (bytes([0x82, 0xFF, 0x7F] + [255] * 7), "websocket.too_large"),
    "too large together": (client(BINARY, b"x" * 200, final=False) + client(0, b"x" * 101), "websocket.too_large"),
    "continuation of nothing": (client(CONTINUATION, b"x"), "websocket.fragments"),
    "continuation after the end": (
        client(TEXT, b"a", final=False) + client(0, b"b") + client(0, b"c"),
        "websocket.fragments",
    ),
    "a new message amid fragments": (client(TEXT, b"a", final=False) + client(TEXT, b"b"), "websocket.fragments"),
    "bad UTF-8": (client(TEXT, b"\xc3\x28"), "websocket.utf8"),
    "lone surrogate": (client(TEXT, b"\xed\xa0\x80"), "websocket.utf8"),
    "overlong": (client(TEXT, b"\xc0\xaf"), "websocket.utf8"),
    "cut character": (client(TEXT, "汉".encode()[:2]), "websocket.utf8"),
    "cut character in the last fragment": (
        client(TEXT, b"a", final=False) + client(0, "汉".encode()[:2]),
        "websocket.utf8",
    ),
    "bad UTF-8 in the first of many": (client(TEXT, b"a\xff", final=False), "websocket.utf8"),
    "close of one byte": (client(CLOSE, b"\x03"), "websocket.close"),
    "close with bad UTF-8": (client(CLOSE, b"\x03\xe8\xff"), "websocket.utf8"),
    "endless fragments": (client(TEXT, b"", final=False) + client(0, b"", final=False) * 300, None),
}


@pytest.mark.parametrize("step", [1, 3, 100_000])
@pytest.mark.parametrize("name", REFUSED)
def test_what_breaks_a_rule_ends_the_parser(name, step):
    data, reason = REFUSED[name]
    reason = reason or "websocket.too_many_fragments"
    whole = client(TEXT, b"before") + data + client(TEXT, b"after") + b"\x00" * 50
    events = parse(whole, range(0, len(whole), step))
    assert events[0] == SocketMessage(TEXT, b"before", client(TEXT, b"before"))
    assert events[-1] == refused(reason)
    assert b"after" not in [event.payload for event in events[:-1]]


def test_a_servers_masked_frame_is_refused():
    assert FrameParser(masked=False).feed(client(TEXT, b"x")) == [refused("websocket.mask")]


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
def test_close_codes_that_must_not_be_sent(code):
    assert not may_be_sent(code)
    assert parse(client(CLOSE, code.to_bytes(2, "big"))) == [refused("websocket.close")]
    if code != NO_STATUS:
        with pytest.raises(ValueError, match="must not"):
            close_payload(code)


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 3000, 3999, 4000, 4999])
def test_close_codes_that_may(code):
    data = client(CLOSE, close_payload(code, "再见"))
    (event,) = parse(data)
    assert event == ControlFrame(CLOSE, code.to_bytes(2, "big") + "再见".encode(), data)
    assert event.close_code == code


def test_nothing_is_read_after_a_close():
    parser = FrameParser(masked=True)
    (event,) = parser.feed(client(CLOSE) + client(TEXT, b"late"))
    assert event.close_code == NO_STATUS
    assert parser.feed(client(TEXT, b"later")) == []
    assert parser.done


def test_control_frames_come_between_fragments_at_once():
    first, ping, last = client(TEXT, "汉".encode()[:1], final=False), client(PING, b"?"), client(0, "汉".encode()[1:])
    parser = FrameParser(masked=True)
    assert parser.feed(first + ping) == [ControlFrame(PING, b"?", ping)]
    assert parser.amid
    assert parser.feed(last) == [SocketMessage(TEXT, "汉".encode(), first + last)]
    assert not parser.amid


def test_bad_utf8_fails_with_the_fragment_that_has_it():
    parser = FrameParser(masked=True)
    assert parser.feed(client(TEXT, "汉".encode()[:1], final=False)) == []
    assert parser.feed(client(0, b"x", final=False)) == [refused("websocket.utf8")]


def test_fragments_up_to_the_bound_are_joined():
    data = client(TEXT, b"a", final=False) + client(0, b"b", final=False) * 254 + client(0, b"c")
    (event,) = parse(data)
    assert event == SocketMessage(TEXT, b"a" + b"b" * 254 + b"c", data)


def test_short_frames_keep_a_short_bound():
    assert parse(client(TEXT, b"x" * 11), max_message=10) == [refused("websocket.too_large")]
    assert parse(client(BINARY, b"x" * 11), max_message=10) == [refused("websocket.too_large")]


def test_an_idle_parser_holds_no_buffer():
    parser = FrameParser(masked=True)
    data = client(TEXT, b"hello")
    parser.feed(data[:4])
    parser.feed(data[4:] + client(PING))
    assert parser._buffer is None
    assert parser._fragments is None
    assert not hasattr(parser, "__dict__")


# -- properties

payloads = st.one_of(st.binary(max_size=140), st.text(max_size=60).map(str.encode))
frames_ = st.builds(
    lambda first, payload, masked, key: (
        bytes([first]) + client(TEXT, payload, key=key)[1:] if masked else bytes([first]) + frame(TEXT, payload)[1:]
    ),
    # Mostly what a client would send; now and then anything.
    st.one_of(
        st.sampled_from([0x81, 0x81, 0x82, 0x01, 0x02, 0x00, 0x00, 0x80, 0x80, 0x89, 0x8A]),
        st.sampled_from([0x81, 0x01, 0x00, 0x80]),
        st.integers(0, 255),
    ),
    payloads,
    st.integers(0, 30).map(bool),
    st.binary(min_size=4, max_size=4),
)
streams = st.lists(frames_, max_size=8).map(b"".join)
cuts_ = st.lists(st.integers(0, 800), max_size=12)


@settings(max_examples=400, deadline=None)
@given(streams, cuts_)
def test_cutting_changes_nothing(data, cuts):
    whole = parse(data)
    assert parse(data, cuts) == whole
    assert parse(data, range(len(data))) == whole


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60), cuts_)
def test_noise_is_read_the_same_however_cut(data, cuts):
    assert parse(data, cuts) == parse(data)


def oracle(data):
    """What the websockets library reads: [(opcode, payload)], and the close code of its failure or None."""
    protocol = Protocol(SERVER, state=OPEN, max_size=BOUND)
    protocol.receive_data(data)
    seen = []
    opcode, parts, decoder = 0, [], None
    for event in protocol.events_received():
        if event.opcode >= CLOSE:
            seen.append((int(event.opcode), bytes(event.data)))
            continue
        if event.opcode:
            opcode, parts = event.opcode, []
            decoder = codecs.getincrementaldecoder("utf-8")() if opcode == TEXT else None
        parts.append(bytes(event.data))
        if decoder is not None:  # the library leaves this to the layer above
            try:
                decoder.decode(event.data, event.fin)
            except UnicodeDecodeError:
                return seen, 1007
        if event.fin:
            seen.append((int(opcode), b"".join(parts)))
    codes = {
        exceptions.ProtocolError: 1002,
        exceptions.PayloadTooBig: 1009,
        UnicodeDecodeError: 1007,
        EOFError: None,
        type(None): None,
    }
    return seen, codes[type(protocol.parser_exc)]


@settings(max_examples=250, deadline=None)
@given(streams)
@example(client(CLOSE, b"\x03\xe8") + client(TEXT, b"x"))
def test_parity_with_the_websockets_library(data):
    events = parse(data)
    error = events.pop().code if events and isinstance(events[-1], ProtocolError) else None
    seen, code = oracle(data)
    assert [(event.opcode, event.payload) for event in events] == seen
    assert error == code


@given(streams)
def test_raw_bytes_say_the_same_message_again(data):
    for event in parse(data):
        if isinstance(event, SocketMessage):
            (again,) = parse(event.raw)
            assert again == event


@given(payloads, st.binary(min_size=4, max_size=4))
def test_masking_twice_is_nothing(payload, key):
    slow = bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))
    assert mask(payload, key) == slow
    assert mask(slow, key) == payload


@given(st.sampled_from([TEXT, BINARY, PING, PONG]), st.text(max_size=30).map(str.encode))
def test_what_is_built_is_read(opcode, payload):
    assert FrameParser(masked=False).feed(frame(opcode, payload))[0][:2] == (opcode, payload[:125])
    assert FrameParser(masked=True).feed(masked_frame(opcode, payload))[0][:2] == (opcode, payload)


def test_keys_differ():
    assert len({masked_frame(TEXT, b"x")[2:6] for _ in range(20)}) > 1


def test_closes_are_cut_at_a_character():
    payload = close_payload(1008, "汉" * 100)
    assert len(payload) == 2 + 123
    assert payload[2:].decode() == "汉" * 41
    (event,) = FrameParser(masked=False).feed(close_frame(1008, "汉" * 100))
    assert event.close_code == 1008
    assert close_frame(NO_STATUS) == b"\x88\x00"


@pytest.mark.parametrize("opcode", [CLOSE, PING, PONG])
def test_long_or_partial_control_frames_are_not_built(opcode):
    with pytest.raises(ValueError, match="125"):
        frame(opcode, b"x" * 126)
    with pytest.raises(ValueError, match="125"):
        masked_frame(opcode, b"", final=False)


@given(st.lists(st.sampled_from([
    client(TEXT, b"hello"), client(PING, b"?"), client(BINARY, b"x" * 200), client(TEXT, b"a", final=False),
    client(0, b"b", final=False), client(0, b"c"), client(CLOSE), b"\xff\xff",
]), max_size=20), st.integers(1, 5), st.lists(st.integers(1, 40), max_size=6), st.booleans())  # fmt: skip
def test_stopped_anywhere_it_reads_the_same(frames: list[bytes], most: int, cuts: list[int], held: bool) -> None:
    data = b"".join(frames)
    edges = sorted({0, *[cut for cut in cuts if cut < len(data)], len(data)})
    whole, parser = FrameParser(masked=True), FrameParser(masked=True, most=most)
    expected = [event for a, b in pairwise(edges) for event in whole.feed(data[a:b])]
    events: list[object] = []
    for a, b in pairwise(edges):
        if held and parser.more:
            parser.hold(data[a:b])
            continue
        events += parser.feed(data[a:b])
        assert parser.read <= most
        while parser.more and not held:
            events += parser.feed(b"")
    while parser.more:
        events += parser.feed(b"")
    assert events == expected
    assert (parser.amid, parser.done) == (whole.amid, whole.done)
