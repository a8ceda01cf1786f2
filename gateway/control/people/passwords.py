"""Passwords of people at the console: argon2id, a slow hash, because people choose them.

A check takes a core and 64 MiB for a tenth of a second. So it is done in threads of its own, few of them and few that
wait: whoever storms the log-in gets 503, and a freeze waits for nobody (argon2 holds no lock of the interpreter). Who
has no password is checked as well, against one that nobody knows, so that the time does not tell who is here.

The first password is given by an admin, and opens nothing but the page on which its owner chooses another.
"""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import time
import unicodedata
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.control.acts.acts import Unit
from gateway.control.acts.refusal import ControlError, missing
from gateway.control.people.rows import Password, Person

LEAST: Final = 12
"""Code points of a password that somebody chooses (OWASP ASVS 5, 6.2.1)."""
MOST: Final = 256
DIFFERENT: Final = 6
"""Different characters that it has: ``aaaaaaaaaaaa`` is as good as none."""
THREADS: Final = 2
NICE: Final = 10
WAITING: Final = 32  # checks that wait for a thread, all in all

R = TypeVar("R")


class Passwords:
    """Makes and checks hashes. ``memory`` in KiB, ``passes`` over it: the cost of one check (RFC 9106, section 4)."""

    def __init__(self, *, memory: int = 64 << 10, passes: int = 3, threads: int = THREADS) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory, parallelism=1, type=Type.ID)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="passwords", initializer=_stand_back)
        self._under_way = 0
        self._nobodys = ""

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hashed(self, password: str) -> str:
        """To be kept. Raises ``ControlError`` where too many want one at once."""
        return await self._aside(lambda: self._hasher.hash(normal(password)))

    async def matches(self, encoded: str, password: str) -> bool:
        """Whether this is the password; ``encoded`` is empty where there is none, and that takes as long."""
        return await self._aside(lambda: self._matches(encoded, normal(password)))

    def _matches(self, encoded: str, password: str) -> bool:
        if not self._nobodys:
            self._nobodys = self._hasher.hash(secrets.token_urlsafe(32))
        try:
            return self._hasher.verify(encoded or self._nobodys, password) and bool(encoded)
        except (VerificationError, InvalidHashError):
            return False

    async def _aside(self, work: Callable[[], R]) -> R:
        if self._under_way >= WAITING:
            raise ControlError(503, "control.busy", "Too many log in at once; try again in a moment.")
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._under_way -= 1


def _stand_back() -> None:
    """Beside acts and messages, checks of passwords run when a processor is free: where many log in at once, they keep
    every one busy for seconds. On Linux a priority is a thread's own."""
    os.setpriority(os.PRIO_PROCESS, 0, NICE)


def normal(password: str) -> str:
    """As it is compared: two ways of typing one letter are one (RFC 8265, OpaqueString)."""
    return unicodedata.normalize("NFC", password)


def one_time() -> str:
    """80 bits, to be read out: ``k7vq-…``."""
    letters = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(letters[at : at + 4] for at in range(0, 16, 4))


def check(name: str, password: str) -> None:
    """Raises ``ControlError`` where a password is easily guessed. What it is made of is its owner's business."""
    told = normal(password)
    if not LEAST <= len(told) <= MOST:
        raise _weak(f"A password has {LEAST} to {MOST} characters.")
    if len(set(told)) < DIFFERENT:
        raise _weak(f"A password has {DIFFERENT} different characters at least.")
    if name.casefold() in told.casefold() or "tidegate" in told.casefold():
        raise _weak("A password does not hold your name, or the name of this program.")


def _weak(why: str) -> ControlError:
    return ControlError(400, "control.password_weak", why)


def put(unit: Unit, name: str, encoded: str, *, once: bool) -> Password:
    """From now on this is the password of a person, and what was opened with the one before is closed."""
    person = unit.get(Person, name)
    if person is None:
        raise missing("person")
    held = unit.get(Password, name)
    # Sessions from before it are told by the time: a clock that was set back must not make one of them newer.
    at = max(time.time_ns() // 1000, person.created_at, held.set_at + 1 if held is not None else 0)
    if held is None:
        return unit.add(Password(person=name, encoded=encoded, set_at=at, once=once))
    return unit.change(held, encoded=encoded, set_at=at, once=once)


def of(session: Session, name: str) -> Password | None:
    """The password of somebody who is here; of a namesake who was removed it is none."""
    person, held = session.get(Person, name), session.get(Password, name)
    if person is None or held is None or not held.encoded or held.set_at < person.created_at:
        return None
    return held


def told(session: Session, name: str) -> str:
    """What somebody has: ``none``, one that works ``once``, their ``own``."""
    held = of(session, name)
    return "none" if held is None else "once" if held.once else "own"


def lost(session: Session) -> Sequence[str]:
    """What came back from the journal opens nothing: the record never held it."""
    names = session.scalars(select(Password.person).where(Password.encoded == "").order_by(Password.person))
    return [f"the password of {name} is lost: “tidegate people password {name}” gives another" for name in names]


def remove(unit: Unit, name: str) -> None:
    held: Any = unit.get(Password, name)
    if held is not None:
        unit.remove(held)
