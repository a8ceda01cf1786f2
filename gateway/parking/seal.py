"""Parked requests under seal: AES-256 in Galois/Counter Mode (NIST SP 800-38D), through ``cryptography``.

    byte 0         the version of this format, 1
    bytes 1 to 4   which key: the first bytes of its SHA-256
    bytes 5 to 16  the nonce, drawn anew for each (SP 800-38D, section 8.2.2)
    the rest       the cipher text and its tag of 16 bytes

The message's id is authenticated with it: what was sealed for one message opens for no other. With random nonces one
key is good for 2³² messages (section 8.3); who holds more renews it sooner, and names the old one in ``previous_keys``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Iterable
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from filters.model.errors import TidegateError

KEY_SIZE: Final = 32  # bytes
VERSION: Final = 1
_NONCE: Final = 5
_CIPHER: Final = 17
_TAG: Final = 16
_TOKEN: Final = 16  # bytes of a status token: 128 bits


class SealBroken(TidegateError):
    """What was sealed cannot be opened. ``cause``: ``version``, ``key`` (sealed with one that is not here) or
    ``content`` (changed, cut short, or another message's)."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


def key_of(text: str) -> bytes:
    """The 32 bytes, written as 64 hexadecimal digits or in base64. Raises ``ValueError``, which never quotes them."""
    told = text.strip()
    if len(told) == 2 * KEY_SIZE:
        try:
            return bytes.fromhex(told)
        except ValueError:
            pass
    try:
        key = base64.b64decode(told.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_SIZE:
        raise ValueError("is not a key: write 32 random bytes as 64 hexadecimal digits, or in base64")
    return key


class Seal:
    """Seals with ``key``, opens what was sealed with it or with one of ``previous``. Thread-safe."""

    __slots__ = ("_by_id", "_cipher", "_head", "_tokens")

    def __init__(self, key: bytes, previous: Iterable[bytes] = ()) -> None:
        self._by_id = {_key_id(one): AESGCM(one) for one in (*previous, key)}
        self._cipher = self._by_id[_key_id(key)]
        self._head = bytes([VERSION]) + _key_id(key)
        self._tokens = [hmac.digest(one, b"tidegate status", "sha256") for one in (key, *previous)]

    def seal(self, message_id: str, plain: bytes) -> bytes:
        """Under the key in force, for this message alone."""
        nonce = os.urandom(_CIPHER - _NONCE)
        return self._head + nonce + self._cipher.encrypt(nonce, plain, self._head + message_id.encode())

    def open(self, message_id: str, sealed: bytes) -> bytes:
        """Raises ``SealBroken``."""
        if len(sealed) < _CIPHER + _TAG:
            raise SealBroken("content")
        if sealed[0] != VERSION:
            raise SealBroken("version")
        cipher = self._by_id.get(sealed[1:_NONCE])
        if cipher is None:
            raise SealBroken("key")
        try:
            return cipher.decrypt(sealed[_NONCE:_CIPHER], sealed[_CIPHER:], sealed[:_NONCE] + message_id.encode())
        except InvalidTag:
            raise SealBroken("content") from None

    def token(self, message_id: str) -> str:
        """What its sender alone is told, to ask what became of it: 32 hexadecimal digits that nobody guesses."""
        return _token(self._tokens[0], message_id)

    def knows(self, message_id: str, token: str) -> bool:
        """Whether it is that message's token, under this key or one before it. Compared in constant time."""
        told = token.encode()
        return any(hmac.compare_digest(_token(each, message_id).encode(), told) for each in self._tokens)


def _key_id(key: bytes) -> bytes:
    if len(key) != KEY_SIZE:
        raise ValueError(f"a key has {KEY_SIZE} bytes")
    return hashlib.sha256(key).digest()[: _NONCE - 1]


def _token(secret: bytes, message_id: str) -> str:
    return hmac.digest(secret, message_id.encode(), "sha256")[:_TOKEN].hex()
