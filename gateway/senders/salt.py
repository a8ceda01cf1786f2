"""What digests are keyed with: the operator's own, or one that is made once and kept in the data folder for ever.

It is never replaced: blocks, strikes and limits name senders by digests that were made with it. Who loses the file
loses what they were about, so it belongs into the backup; machines that share their state share the salt. Beside it
stands its fingerprint (``salt.known``), which tells a node that has never had one from a node that has lost it, or has
another's: making a new one would end every such block without a word (only a person ends a promise).
"""

from __future__ import annotations

import os
import secrets
from hashlib import blake2b
from pathlib import Path
from typing import Final

import structlog

from filters.model.errors import TidegateError
from gateway.journal.write.segments import sync_folder

log = structlog.get_logger()

SIZE: Final = 32
"""Bytes."""
REMEDY: Final = (
    "restore it from a backup; without it nobody who was blocked by a digest is known again "
    "(remove salt and salt.known to begin anew all the same)"
)


class SaltUnreadable(TidegateError):
    """What is there is no salt, or not the one that digests were made with; the message says what helps."""


def of_setting(written: str) -> bytes:
    """From what an operator wrote, of any length."""
    return blake2b(written.encode(), digest_size=SIZE, person=b"tidegate salt").digest()


def kept(path: Path) -> bytes:
    """The node's own, made when there has been none. Raises ``SaltUnreadable``, ``OSError``."""
    known = path.with_name(f"{path.name}.known")
    try:
        return _known(path, known)
    except FileNotFoundError:
        if known.exists():
            raise SaltUnreadable(f"{path} is gone, and {known.name} says that there was one: {REMEDY}") from None
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
    return _known(path, known)


def fingerprint(salt: bytes) -> str:
    """What ``salt.known`` holds: 16 hexadecimal digits from which nobody finds the salt."""
    return blake2b(salt, digest_size=8, person=b"tidegate known").hexdigest()


def _known(path: Path, known: Path) -> bytes:
    salt = _read(path)
    told = fingerprint(salt)
    try:
        held = known.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        _write(known, told)
        return salt
    except ValueError:
        held = ""
    if held != told:
        raise SaltUnreadable(f"{path} is not the one that {known.name} was written for: {REMEDY}")
    return salt


def _write(known: Path, told: str) -> None:
    """Whole or not at all; several that start together write the same."""
    aside = known.with_name(f"{known.name}.{os.getpid()}")
    with aside.open("w", encoding="ascii") as file:
        file.write(told + "\n")
        file.flush()
        os.fsync(file.fileno())
    aside.replace(known)
    sync_folder(known.parent)


def _read(path: Path) -> bytes:
    try:
        salt = bytes.fromhex(path.read_bytes().decode("ascii"))
    except ValueError:
        salt = b""
    if len(salt) != SIZE:
        raise SaltUnreadable(f"{path} is damaged: {REMEDY}")
    return salt
