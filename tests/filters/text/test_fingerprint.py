"""Fingerprints: equal for what folds alike, empty for nothing."""

from hashlib import blake2b

from filters.text.fingerprint import fingerprint


def test_is_blake2b_of_eight_bytes() -> None:
    assert fingerprint("网上赌博") == blake2b("网上赌博".encode(), digest_size=8).digest()
    assert fingerprint("a") != fingerprint("b")


def test_nothing_has_no_fingerprint() -> None:
    assert fingerprint("") == b""


def test_any_text_has_one() -> None:
    assert len(fingerprint("a\ud800")) == 8
