"""What digests are keyed with: the operator's own, or one that is made once and kept in the data folder for ever.

It is never replaced: blocks, strikes and limits name senders by digests that were made with it. Who loses the file
loses what they were about, so it belongs into the backup; machines that share their state share the salt.
"""

from __future__ import annotations

import os
import secrets
from hashlib import blake2b
from pathlib import Path
from typing import Final

import structlog

from filters.model.errors import TidegateError

log = structlog.get_logger()

SIZE: Final = 32
"""Bytes."""


class SaltUnreadable(TidegateError):
    """The file is there and says nothing that could be a salt; the message says what helps."""


def of_setting(written: str) -> bytes:
    """From what an operator wrote, of any length."""
    return blake2b(written.encode(), digest_size=SIZE, person=b"tidegate salt").digest()


def kept(path: Path) -> bytes:
    """The node's own, made when there is none. Raises ``SaltUnreadable``, ``OSError``."""
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(SIZE).encode() + b"\n")
            file.flush()
            os.fsync(descriptor)
        try:
            os.link(aside, path)  # workers that start together get one: the first
        except FileExistsError:
            pass
        else:
            log.info("salt.made", file=str(path))
    finally:
        aside.unlink()
    return _read(path)


def _read(path: Path) -> bytes:
    try:
        salt = bytes.fromhex(path.read_bytes().decode("ascii"))
    except ValueError:
        salt = b""
    if len(salt) != SIZE:
        raise SaltUnreadable(
            f"{path} is damaged: restore it from a backup; without it nobody who was blocked by a digest is known again"
        )
    return salt
