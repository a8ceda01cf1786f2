"""Ten characters by which somebody appeals: short enough to read out, and no message id.

    28 bits: the second of the message's id        22 bits: the head of a keyed digest of the id
         └──────────── 50 bits ──► a keyed permutation ──► 50 bits ──► ten digits of Crockford's base 32

The permutation is a balanced Feistel network of two halves of 25 bits, whose round function is keyed BLAKE2b (RFC
7693; Luby and Rackoff 1988; eight rounds, for halves are short). HMAC-SHA256 by OpenSSL takes three times as long.
Without the key nobody sees a time in a code, nor makes one that stands for a message. With it a code leads to a second
of the journal, and there to the ids whose digest begins so: no index is needed, and nothing is kept of codes that
nobody uses. Seconds repeat after 8.5 years.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final, NamedTuple

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: without I, L, O, which are read as 1, 1, 0, and without U."""

LENGTH: Final = 10
SECONDS: Final = 1 << 28
"""After how many seconds the first part of a code repeats."""

_MARKS: Final = 22
_HALF: Final = 25
_MASK: Final = (1 << _HALF) - 1
_ROUNDS: Final = tuple(bytes((number,)) for number in range(8))
_VALUES: Final = {
    **{character: value for value, character in enumerate(ALPHABET)},
    **{character.lower(): value for value, character in enumerate(ALPHABET)},
    **dict.fromkeys("oO", 0),
    **dict.fromkeys("iIlL", 1),
}
_IGNORED: Final = dict.fromkeys(map(ord, " -\t\u2010\u2011\u2012\u2013\u2014\u3000\uff0d"))


class Coded(NamedTuple):
    """What a code says. ``second``: that of the message's id, modulo ``SECONDS``; ``mark``: the digest's."""

    second: int
    mark: int


class Codes:
    """The codes of one key (16 to 64 bytes)."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def code(self, message_id: str) -> str:
        """Of a message, by its id (``gateway/journal/write/ids.py``)."""
        value = _second(message_id) << _MARKS | self.mark(message_id)
        left, right = value >> _HALF, value & _MASK
        for number in _ROUNDS:
            left, right = right, left ^ self._round(number, right)
        value = left << _HALF | right
        return "".join([ALPHABET[value >> shift & 31] for shift in range(45, -1, -5)])

    def read(self, text: str) -> Coded | None:
        """What a code that somebody typed says; None where it is none. Case, hyphens and spaces do not matter."""
        digits = [_VALUES.get(character, -1) for character in text.translate(_IGNORED)]
        if len(digits) != LENGTH or min(digits) < 0:
            return None
        value = 0
        for digit in digits:
            value = value << 5 | digit
        left, right = value >> _HALF, value & _MASK
        for number in reversed(_ROUNDS):
            left, right = right ^ self._round(number, left), left
        value = left << _HALF | right
        return Coded(value >> _MARKS, value & (1 << _MARKS) - 1)

    def mark(self, message_id: str) -> int:
        """The 22 bits by which a message is told from the others of its second."""
        return (
            int.from_bytes(blake2b(message_id.encode(), digest_size=3, key=self._key, person=b"tidegate mark").digest())
            >> 2
        )

    def seal(self, fingerprint: bytes) -> str:
        """A digest of a text's fingerprint, in 16 hexadecimal digits, that nobody makes who has not the key: short
        texts would be guessed otherwise."""
        return blake2b(fingerprint, digest_size=8, key=self._key, person=b"tidegate print").hexdigest()

    def _round(self, number: bytes, half: int) -> int:
        return int.from_bytes(blake2b(half.to_bytes(4), digest_size=4, key=self._key, salt=number).digest()) & _MASK


def canonical(text: str) -> str:
    """A code as it is written; empty for what is none."""
    digits = [_VALUES.get(character, -1) for character in text.translate(_IGNORED)]
    return "".join([ALPHABET[digit] for digit in digits]) if len(digits) == LENGTH and min(digits) >= 0 else ""


def _second(message_id: str) -> int:
    return int(message_id[:8] + message_id[9:13], 16) // 1000 % SECONDS
