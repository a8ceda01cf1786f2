"""The packet framing of bilibili's live rooms, which is goim's (Terry-Mao/goim, api/protocol/protocol.go).

A packet is a header of 16 bytes, big-endian, and a body:

    uint32 total length · uint16 header length (16) · uint16 version · uint32 operation · uint32 sequence

Version 0 and 1: the body is plain. Version 2 (zlib) and 3 (Brotli): it is packets, compressed; those are of version
0 or 1. A frame holds one or more packets. Operations 4 (send) and 5 (notification) carry messages, 2 (heartbeat) and
7 (authentication) are relayed as they are; anything else is refused.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import brotli

from gateway.surfaces.bodies.content import inflated, unbrotlied
from gateway.surfaces.formats.format import FormatEntry, Payload
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.input.settings import SurfaceSettings

HEADER = struct.Struct(">IHHII")

PLAIN = (0, 1)
ZLIB = 2
BROTLI = 3
NOTIFICATION = 5
MESSAGES = frozenset((4, NOTIFICATION))
RELAYED = frozenset((2, 7))


class Packet(NamedTuple):
    """``start`` and ``end``: where it stands, header included, in the bytes it was read from."""

    version: int
    operation: int
    sequence: int
    start: int
    end: int


class Bilibili:
    """See the module. ``max_packets`` and ``max_inflated`` (bytes) hold for a whole frame."""

    __slots__ = ("_max_inflated", "_max_packets", "binary")

    def __init__(self, max_packets: int, max_inflated: int) -> None:
        self.binary = True
        self._max_packets = max_packets
        self._max_inflated = max_inflated

    def split(self, frame: bytes) -> Sequence[Payload]:
        """See Format."""
        payloads: list[Payload] = []
        inflated_size = 0
        for packet in self._packets(frame):
            data = frame[packet.start + HEADER.size : packet.end]
            if packet.version in PLAIN:
                payloads.append(self._payload(packet, data))
            else:
                data = self._expanded(packet, data, self._max_inflated - inflated_size)
                inflated_size += len(data)
                payloads.extend(
                    self._payload(inner, data[inner.start + HEADER.size : inner.end]) for inner in self._batch(data)
                )
            if len(payloads) > self._max_packets:
                raise Refused("frame.too_many")
        return payloads

    def join(self, frame: bytes, changes: Mapping[int, bytes | None]) -> bytes | None:
        """See Format. A batch is compressed again only when something in it changed."""
        joined: list[bytes] = []
        index = 0
        for packet in self._packets(frame):
            data = frame[packet.start + HEADER.size : packet.end]
            if packet.version in PLAIN:
                joined.append(_changed(frame, packet, index, changes))
                index += 1
                continue
            data = self._expanded(packet, data, self._max_inflated)
            batch = self._batch(data)
            if any(index <= changed < index + len(batch) for changed in changes):
                inner = b"".join(_changed(data, one, index + at, changes) for at, one in enumerate(batch))
                if inner:
                    body = zlib.compress(inner) if packet.version == ZLIB else brotli.compress(inner, quality=5)
                    joined.append(_packed(packet, body))
            else:
                joined.append(frame[packet.start : packet.end])
            index += len(batch)
        return b"".join(joined) or None

    def notice(self, text: bytes) -> bytes:
        """See Format. One plain packet, as the platform's own notifications."""
        return HEADER.pack(HEADER.size + len(text), HEADER.size, 0, NOTIFICATION, 0) + text

    def _payload(self, packet: Packet, data: bytes) -> Payload:
        if packet.operation in MESSAGES:
            return Payload(data)
        if packet.operation in RELAYED:
            return Payload(data, judged=False)
        raise Refused("frame.unknown")

    def _packets(self, data: bytes) -> list[Packet]:
        packets = []
        at = 0
        size = len(data)
        while at < size:
            if size - at < HEADER.size:
                raise Refused("frame.malformed")
            total, header, version, operation, sequence = HEADER.unpack_from(data, at)
            if header != HEADER.size or not HEADER.size <= total <= size - at or version > BROTLI:
                raise Refused("frame.malformed")
            packets.append(Packet(version, operation, sequence, at, at + total))
            if len(packets) > self._max_packets:
                raise Refused("frame.too_many")
            at += total
        if not packets:
            raise Refused("frame.malformed")
        return packets

    def _batch(self, data: bytes) -> list[Packet]:
        batch = self._packets(data)
        if any(packet.version not in PLAIN for packet in batch):
            raise Refused("frame.malformed")  # batches within batches are not written by anyone honest
        return batch

    def _expanded(self, packet: Packet, data: bytes, limit: int) -> bytes:
        if packet.operation not in MESSAGES:
            raise Refused("frame.malformed")  # a reader might not expand it, and then what was judged is not read
        try:
            return inflated(data, limit, zlib.MAX_WBITS) if packet.version == ZLIB else unbrotlied(data, limit)
        except Refused as refused:
            raise Refused("frame.malformed" if refused.reason == "coding.malformed" else refused.reason) from None


def _changed(data: bytes, packet: Packet, index: int, changes: Mapping[int, bytes | None]) -> bytes:
    if index not in changes:
        return data[packet.start : packet.end]
    body = changes[index]
    return b"" if body is None else _packed(packet, body)


def _packed(packet: Packet, body: bytes) -> bytes:
    return HEADER.pack(HEADER.size + len(body), HEADER.size, packet.version, packet.operation, packet.sequence) + body


def compiled(settings: SurfaceSettings) -> Bilibili:
    """The format as a route's settings bound it."""
    return Bilibili(settings.max_packets, settings.max_inflated)


ENTRY: FormatEntry = FormatEntry(compiled, "json", "packets of that live protocol, several in a frame")
