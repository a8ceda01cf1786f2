"""Lines, sums and chains."""

from __future__ import annotations

import hashlib
import json

import pytest
from crc32c import crc32c
from hypothesis import given
from hypothesis import strategies as st

from gateway.journal.write import encoding
from gateway.journal.write.encoding import Corrupt

RECORD = {"kind": "judged", "id": "x", "time": 5, "content": {"key": "", "plain": ['好 \u2028 \x00 " , }']}}


def test_a_line_is_json_with_its_sum_last() -> None:
    line = encoding.sealed(encoding.body(encoding.prefix(3), 12, encoding.fields(RECORD)))
    assert list(json.loads(line)) == ["v", "epoch", "seq", "kind", "id", "time", "content", "crc"]
    unsealed, _, rest = line.rpartition(b',"crc":"')
    assert rest == b'%08x"}\n' % crc32c(unsealed)
    assert line.count(b"\n") == 1
    assert encoding.decode(line) == {"v": 1, "epoch": 3, "seq": 12, **RECORD, "crc": rest[:8].decode()}


def test_crc32c_is_the_one_of_rfc_3720() -> None:
    assert crc32c(b"123456789") == 0xE3069283


def test_the_chain_covers_what_came_before() -> None:
    chain = hashlib.sha256(encoding.GENESIS + b"batch\n").digest()
    assert encoding.next_chain(encoding.GENESIS, b"batch\n") == chain
    line = encoding.chained(encoding.body(encoding.prefix(1), 1, encoding.fields(RECORD)), chain)
    assert encoding.decode(line)["chain"] == chain.hex()


@given(st.data())
def test_any_flipped_bit_is_found(data: st.DataObject) -> None:
    line = bytearray(encoding.sealed(encoding.body(encoding.prefix(1), 1, encoding.fields(RECORD))))
    bit = data.draw(st.integers(0, 8 * len(line) - 1))
    line[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Corrupt):
        encoding.decode(bytes(line))


def _with_sum(unsealed: bytes) -> bytes:
    return encoding.sealed(unsealed)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"", "torn"),
        (b'{"v":1', "torn"),
        (b"\n", "format"),
        (b'{"v":1}\n', "format"),
        (_with_sum(b'{"v":1,"epoch":1,"seq":1'), None),
        (_with_sum(b'{"v":2,"epoch":1,"seq":1'), "version"),
        (_with_sum(b'{"v":1,"epoch":1,"seq":"1"'), "format"),
        (_with_sum(b'{"v":1,"epoch":1,"seq":'), "json"),
    ],
)
def test_what_is_wrong_has_a_name(line: bytes, code: str | None) -> None:
    if code is None:
        assert encoding.decode(line)["seq"] == 1
        return
    with pytest.raises(Corrupt) as caught:
        encoding.decode(line)
    assert caught.value.code == code
