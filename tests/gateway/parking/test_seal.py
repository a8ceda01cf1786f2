"""A sealed message opens with its key and for its id, and for nothing else."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.parking.seal import Seal, SealBroken, key_of

OLD, NEW = bytes(32), bytes(range(32))


@given(st.binary(max_size=200))
def test_what_is_sealed_opens(plain: bytes) -> None:
    seal = Seal(NEW)
    sealed = seal.seal("m1", plain)
    assert seal.open("m1", sealed) == plain
    assert seal.seal("m1", plain) != sealed  # its nonce is another one


def test_a_key_that_was_followed_by_another_still_opens() -> None:
    sealed = Seal(OLD).seal("m1", b"text")
    assert Seal(NEW, [OLD]).open("m1", sealed) == b"text"
    assert Seal(OLD).seal("m1", b"")[1:5] != Seal(NEW, [OLD]).seal("m1", b"")[1:5]


@pytest.mark.parametrize("at", [0, 1, 6, 20, -1])
def test_what_was_changed_does_not_open(at: int) -> None:
    sealed = bytearray(Seal(NEW).seal("m1", b"text"))
    sealed[at] ^= 1
    with pytest.raises(SealBroken) as broken:
        Seal(NEW).open("m1", bytes(sealed))
    assert broken.value.cause == {0: "version", 1: "key"}.get(at, "content")


def test_no_other_message_opens_it_and_no_other_key() -> None:
    sealed = Seal(NEW).seal("m1", b"text")
    for seal, name, cause in ((Seal(NEW), "m2", "content"), (Seal(OLD), "m1", "key"), (Seal(NEW), "", "content")):
        with pytest.raises(SealBroken) as broken:
            seal.open(name, sealed)
        assert broken.value.cause == cause
    with pytest.raises(SealBroken):
        Seal(NEW).open("m1", sealed[:32])


def test_a_key_is_written_in_two_ways() -> None:
    assert key_of(NEW.hex()) == NEW
    assert key_of(f" {NEW.hex().upper()}\n") == NEW
    assert key_of(base64.b64encode(NEW).decode()) == NEW
    assert key_of(base64.urlsafe_b64encode(bytes([255] * 32)).decode()) == bytes([255] * 32)
    for wrong in ("", "secret", "zz" * 32, NEW.hex()[:-2], base64.b64encode(NEW[:-1]).decode()):
        with pytest.raises(ValueError, match="64 hexadecimal digits") as refused:
            key_of(wrong)
        assert not wrong or wrong not in str(refused.value)
    with pytest.raises(ValueError, match="32 bytes"):
        Seal(b"short")


def test_a_token_is_one_messages_and_outlives_its_key() -> None:
    token = Seal(OLD).token("m1")
    assert len(token) == 32
    after = Seal(NEW, [OLD])
    assert after.knows("m1", token)
    assert after.knows("m1", after.token("m1"))
    assert after.token("m1") != token
    for wrong in ("", token[:-1], token.upper() + "0", "é" * 16, after.token("m2")):
        assert not after.knows("m1", wrong)
