"""What a node sends another comes as it was sent, or is refused; and no name in it leads out of a copy's folder."""

from __future__ import annotations

import hashlib

import pytest

from gateway.common.boot import ClockReading
from gateway.replicas.copying.fetched import (
    Differing,
    Garbled,
    JournalFetched,
    SegmentPiece,
    decoded,
    encoded,
    is_folder,
)

CLOCK = ClockReading(1, "b", 2)
WHOLE = JournalFetched(
    2, CLOCK, False, 7,
    (
        SegmentPiece("0", "000001-000001.jsonl", 0, 9, False, b"a\n\xff\nb\n"),
        SegmentPiece("desk-query", "000001-000002.jsonl", 3, 3, True, b""),
    ),
    (Differing("1", "000001-000001.jsonl", -1),),
)  # fmt: skip


def test_what_was_sent_comes_back() -> None:
    assert decoded(encoded(WHOLE)) == WHOLE


def test_every_broken_byte_and_every_cut_is_noticed() -> None:
    body = encoded(WHOLE)
    for at in range(len(body)):
        with pytest.raises(Garbled):
            decoded(body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :])
        with pytest.raises(Garbled):
            decoded(body[:at])


@pytest.mark.parametrize(
    "told",
    [
        b"", b"[]\n", b"{}\n", b'{"node":1}\n', b"\xff\n",
        b'{"node":2,"clock":[1,"b"],"complete":true,"behind":0}\n',
        b'{"node":2,"clock":[1,"b",2],"complete":true,"behind":0}\n{"folder":"..","segment":"000001-000001.jsonl","size":1}\n',
        b'{"node":2,"clock":[1,"b",2],"complete":true,"behind":0}\n{"folder":"0","segment":"../../x.jsonl","size":1}\n',
        b'{"node":2,"clock":[1,"b",2],"complete":true,"behind":0}\n{"folder":"0","segment":"000001-000001.jsonl","offset":0,'
        b'"size":1,"final":true,"bytes":5}\nabc',
    ],
)  # fmt: skip
def test_what_no_node_sends_is_refused(told: bytes) -> None:
    with pytest.raises(Garbled):
        decoded(told + hashlib.sha256(told).hexdigest().encode() + b"\n")


def test_folders_of_a_node() -> None:
    assert all(map(is_folder, ("0", "7", "254", "255", "desk-query", "desk-import")))
    assert not any(map(is_folder, ("", "00", "07", "-1", "1000", "..", "0~1", "desk", "desk-other", "٣", "0/1", ".")))
