"""The packet framing of bilibili's live rooms."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from typing import Any

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.surfaces.formats.bilibili import Bilibili
from gateway.surfaces.formats.format import Payload
from gateway.surfaces.input.decoded import Messages, Untouched
from gateway.surfaces.input.reasons import Refused

FORMAT = Bilibili(64, 100_000)

# A heartbeat as web clients send it: 31 bytes, version 1, operation 2, sequence 1.
HEARTBEAT = bytes.fromhex("0000001f0010000100000002000000015b6f626a656374204f626a6563745d")


def packet(body: bytes, operation: int = 5, version: int = 0, sequence: int = 1) -> bytes:
    return struct.pack(">IHHII", 16 + len(body), 16, version, operation, sequence) + body


def batch(*packets: bytes, version: int = 2) -> bytes:
    inner = b"".join(packets)
    return packet(zlib.compress(inner) if version == 2 else brotli.compress(inner), version=version)


def test_the_heartbeat_of_a_real_client() -> None:
    assert FORMAT.split(HEARTBEAT) == [Payload(b"[object Object]", judged=False)]


PLAIN = st.builds(
    packet, st.binary(max_size=20), st.sampled_from([2, 4, 5, 7]), st.sampled_from([0, 1]), st.integers(0, 2**32 - 1)
)
FRAMES = st.lists(
    st.one_of(
        PLAIN,
        st.builds(
            lambda packets, version: batch(*packets, version=version),
            st.lists(PLAIN, min_size=1, max_size=4),
            st.sampled_from([2, 3]),
        ),
    ),
    min_size=1,
    max_size=4,
).map(b"".join)


@settings(max_examples=200, deadline=None)
@given(FRAMES, st.data())
def test_only_what_changed_changes(frame: bytes, data: st.DataObject) -> None:
    before = FORMAT.split(frame)
    assert FORMAT.join(frame, {}) == frame
    changes = data.draw(
        st.dictionaries(st.integers(0, len(before) - 1), st.one_of(st.none(), st.binary(max_size=20)), max_size=4)
    )
    after = FORMAT.join(frame, changes)
    expected = [
        payload if index not in changes else Payload(changes[index] or b"", payload.judged)
        for index, payload in enumerate(before)
        if changes.get(index, b"") is not None
    ]
    if after is None:
        assert expected == []
    else:
        assert FORMAT.split(after) == expected


@settings(max_examples=300, deadline=None)
@given(FRAMES, st.integers(0, 100), st.binary(max_size=4), st.integers(0, 4))
def test_noise_is_refused_and_nothing_else_happens(frame: bytes, at: int, noise: bytes, cut: int) -> None:
    frame = frame[:at] + noise + frame[at + cut :]
    try:
        payloads = FORMAT.split(frame)
    except Refused:
        return
    assert FORMAT.join(frame, {}) == frame
    assert len(payloads) > 0


def raw(total: int, header: int, version: int, body: bytes = b"") -> bytes:
    return struct.pack(">IHHII", total, header, version, 5, 1) + body


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"", "frame.malformed"),
        (b"\x00" * 15, "frame.malformed"),
        (raw(15, 16, 0), "frame.malformed"),
        (raw(17, 16, 0), "frame.malformed"),
        (raw(2**32 - 1, 16, 0), "frame.malformed"),
        (raw(18, 18, 0, b"xx"), "frame.malformed"),
        (raw(16, 0, 0), "frame.malformed"),
        (raw(16, 16, 4), "frame.malformed"),
        (packet(b"{}") + b"x", "frame.malformed"),
        (packet(b"{}", operation=9), "frame.unknown"),
        (packet(b"no", version=2), "frame.malformed"),
        (packet(b"no", version=3), "frame.malformed"),
        (packet(zlib.compress(packet(b"{}")) + b"x", version=2), "frame.malformed"),
        (packet(zlib.compress(packet(b"{}"))[:-1], version=2), "frame.malformed"),
        (packet(zlib.compress(b""), version=2), "frame.malformed"),
        (packet(zlib.compress(packet(b"{}")), operation=2, version=2), "frame.malformed"),
        (batch(batch(packet(b"{}"))), "frame.malformed"),
        (batch(packet(b"{}", operation=9)), "frame.unknown"),
        (batch(packet(b"a" * 200_000)), "body.inflates"),
        (batch(packet(b"a" * 200_000), version=3), "body.inflates"),
        (batch(packet(b"a" * 60_000)) * 2, "body.inflates"),
        (packet(b"{}") * 65, "frame.too_many"),
        (batch(*[packet(b"{}")] * 65), "frame.too_many"),
        (batch(*[packet(b"{}")] * 40) * 2, "frame.too_many"),
    ],
)
def test_refused(frame: bytes, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        FORMAT.split(frame)
    assert refused.value.reason == reason


@pytest.fixture
def socket(make_surface: Callable[..., Any], make_request: Callable[..., Any]) -> Any:
    surface = make_surface(
        surface="danmaku",
        format="bilibili",
        text=("json:/info/1",),
        message_when={"/cmd": ("DANMU_MSG",)},
        relay_when={"/cmd": ("LIKE",)},
    )
    return surface.attach(make_request([("X-User-Id", "alice")], method=b"GET"))


def bullet(text: str) -> bytes:
    return packet(json.dumps({"cmd": "DANMU_MSG", "info": [[0, 1], text, [1, "u"]]}, ensure_ascii=False).encode())


LIKE = packet(b'{"cmd":"LIKE"}')


@pytest.mark.parametrize("version", [2, 3])
def test_bullets_are_judged_one_by_one(socket: Any, version: int) -> None:
    frame = HEARTBEAT + batch(bullet("一"), LIKE, bullet("二"), version=version) + bullet("三")
    decoded = socket.decode(frame, True)
    assert isinstance(decoded, Messages)
    assert [message.texts for message in decoded.messages] == [("一",), ("二",), ("三",)]
    assert decoded.encode(frame, {}) == frame
    after = decoded.encode(frame, {0: ("*",), 1: None})
    assert [payload.data for payload in FORMAT.split(after)] == [
        b"[object Object]",
        bullet("*")[16:],
        LIKE[16:],
        bullet("三")[16:],
    ]
    again = socket.decode(after, True)
    assert [message.texts for message in again.messages] == [("*",), ("三",)]


def test_a_batch_of_which_nothing_is_left(socket: Any) -> None:
    frame = batch(bullet("一"), bullet("二"))
    decoded = socket.decode(frame, True)
    assert decoded.encode(frame, {0: None, 1: None}) is None


def test_frames_without_messages_go_by(socket: Any) -> None:
    assert socket.decode(HEARTBEAT + LIKE, True) == Untouched(HEARTBEAT + LIKE)


@pytest.mark.parametrize(
    ("frame", "binary", "reason"),
    [
        (bullet("一"), False, "frame.type"),
        (bullet("一") + packet(b"no json"), True, "body.not_json"),
        (bullet("一") + packet(b'{"cmd":"GIFT"}'), True, "frame.unknown"),
        (packet(b'{"cmd":"DANMU_MSG","info":[[],5]}'), True, "text.not_string"),
        (packet(b'{"cmd":"DANMU_MSG","cmd":"LIKE"}'), True, "body.duplicate_key"),
    ],
)
def test_one_bad_payload_refuses_the_frame(socket: Any, frame: bytes, binary: bool, reason: str) -> None:
    assert socket.decode(frame, binary).reason == reason
