"""People and their tokens: one each, shown once, known afterwards by its SHA-256 only.

A token is 32 random bytes, so a plain hash is enough: there is nothing to guess and a slow hash would only let
strangers spend our time. Hashes are compared in constant time.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.control.acts.acts import SYSTEM, Intent, Unit, perform
from gateway.control.acts.authority import Authority
from gateway.control.acts.governance import Governance
from gateway.control.acts.ledger import Ledger
from gateway.control.acts.refusal import ControlError, missing
from gateway.control.people.rows import Person

PREFIX = "tg_"  # lets secret scanners know one


def new_token() -> str:
    """``tg_`` and 43 letters, digits, ``-`` or ``_``."""
    return PREFIX + secrets.token_urlsafe(32)


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


class People:
    """Who may act, in memory (``followed``). ``authority`` says whose token does not count meanwhile."""

    def __init__(self, hashes: Mapping[str, str], authority: Authority | None = None) -> None:
        self._hashes = dict(hashes)
        self._authority = authority or Authority()

    def refresh(self, hashes: Mapping[str, str]) -> None:
        self._hashes = dict(hashes)

    def known(self, token: str) -> str | None:
        """The name of the token's owner. Looks at everybody, so that the time tells nothing."""
        asked = hashed(token)
        found = None
        for name, held in self._hashes.items():
            if hmac.compare_digest(asked, held):
                found = name
        return found if found not in self._authority.distrusted else None


def followed(ledger: Ledger) -> People:
    """Who may act, and from now on whoever is added or removed, before the act is answered."""
    made = People(ledger.database.now(hashes), ledger.authority)
    follow(ledger, made)
    return made


def follow(ledger: Ledger, known: People) -> None:
    """Keep these up to date."""

    async def refresh() -> None:
        known.refresh(await ledger.database.read(hashes))

    ledger.follow(Person, refresh)


def hashes(session: Session) -> dict[str, str]:
    """Token hashes by name."""
    return {person.name: person.token_hash for person in session.scalars(select(Person))}


def anybody(session: Session) -> bool:
    """Whether somebody may act."""
    return bool(session.scalar(select(func.count()).where(Person.token_hash != "")))


def add(unit: Unit, name: str, token: str) -> Person:
    if name == SYSTEM or unit.get(Person, name) is not None:
        raise ControlError(409, "control.person_exists", "There is somebody of that name already.")
    return unit.add(Person(name=name, token_hash=hashed(token), created_at=time.time_ns() // 1000))


def remove(unit: Unit, name: str) -> None:
    person = unit.get(Person, name)
    if person is None:
        raise missing("person")
    if not unit.session.scalar(select(func.count()).where(Person.token_hash != "", Person.name != name)):
        raise ControlError(409, "control.last_person", "The last person cannot be removed: nobody could act any more.")
    unit.remove(person)


def first(session: Session, name: str, uid: str, keep_at: Path, governance: Governance) -> str | None:
    """On the first start create ``name`` and return the token, which stays in ``keep_at`` (mode 0600); else None. As on
    a first start it is where people came back from the journal alone, which has nobody's token.

    The file is written before the person is committed: a crash between the two leaves a token that opens nothing and
    is overwritten, never a person whose token nobody knows.
    """
    if anybody(session):
        return None
    token = new_token()
    keep_at.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = keep_at.with_name(keep_at.name + ".new")
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token + "\n")
        file.flush()
        os.fsync(descriptor)
    aside.replace(keep_at)
    intent = Intent(uid, SYSTEM, "first start", "person.add", f"person:{name}")
    perform(session, intent, lambda unit: _named(unit, name, token), governance)
    return token


def _named(unit: Unit, name: str, token: str) -> Person:
    held = unit.get(Person, name)
    return add(unit, name, token) if held is None else unit.change(held, token_hash=hashed(token))


def lost(session: Session) -> list[str]:
    """Who came back from the journal has no token: the record never held one."""
    names = session.scalars(select(Person.name).where(Person.token_hash == "").order_by(Person.name))
    return [f"the token of {name} is lost: remove that person and add them again" for name in names]
