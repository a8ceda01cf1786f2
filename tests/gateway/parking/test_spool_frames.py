"""The file of a spool: whole, torn anywhere, changed anywhere."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.parking.spool_frames import HEAD, Frame, framed, unframed

FRAMES = [("m1", b"first"), ("m22", b""), ("m3", b"\x00" * 300)]


def test_what_is_framed_comes_back() -> None:
    assert unframed(framed(FRAMES)) == ([Frame(*each) for each in FRAMES], 0)
    assert unframed(framed([])) == ([], 0)


@given(st.integers(0, len(framed(FRAMES)) - 1))
def test_a_torn_file_gives_its_whole_frames(at: int) -> None:
    found, left = unframed(framed(FRAMES)[:at])
    assert found == [Frame(*each) for each in FRAMES[: len(found)]]
    whole = len(framed(FRAMES[: len(found)]))
    assert left == (at - whole if at >= len(HEAD) else at)


@given(st.integers(0, len(framed(FRAMES)) - 1), st.integers(1, 255))
def test_a_changed_byte_is_never_believed(at: int, change: int) -> None:
    content = bytearray(framed(FRAMES))
    content[at] ^= change
    found, left = unframed(bytes(content))
    assert len(found) < len(FRAMES)
    assert left
    assert found == [Frame(*each) for each in FRAMES[: len(found)]]


def test_a_file_of_something_else() -> None:
    assert unframed(b"") == ([], 0)
    assert unframed(b"TGPARK99") == ([], 8)
    assert unframed(HEAD + b"\xff" * 40) == ([], 40)
