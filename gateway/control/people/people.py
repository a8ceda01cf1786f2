"""People, their roles and their tokens: one each, shown once, known afterwards by its SHA-256 only.

A token is 32 random bytes, so a plain hash is enough: there is nothing to guess and a slow hash would only let
strangers spend our time. Hashes are compared in constant time.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.control.access.roles import Principal, Role, known
from gateway.control.acts.acts import SYSTEM, Intent, Unit, perform
from gateway.control.acts.authority import Authority
from gateway.control.acts.governance import Governance
from gateway.control.acts.ledger import Ledger
from gateway.control.acts.refusal import ControlError, missing
from gateway.control.people import passwords
from gateway.control.people.rows import Person, Token

PREFIX = "tg_"  # lets secret scanners know one


def new_token() -> str:
    """``tg_`` and 43 letters, digits, ``-`` or ``_``."""
    return PREFIX + secrets.token_urlsafe(32)


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def unknown_token() -> ControlError:
    """For whoever sends none, or one that opens nothing."""
    return ControlError(401, "control.token_refused", "Send “Authorization: Bearer TOKEN” with a token in force.")


class People:
    """Who may act, in memory (``followed``). ``authority`` says whose token does not count meanwhile."""

    def __init__(self, callers: Iterable[Principal], authority: Authority | None = None) -> None:
        self._callers = list(callers)
        self._authority = authority or Authority()

    def refresh(self, callers: Iterable[Principal]) -> None:
        self._callers = list(callers)

    def known(self, token: str) -> Principal | None:
        """Whose token it is. Looks at all of them, so that the time tells nothing."""
        asked = hashed(token)
        found = None
        for caller in self._callers:
            if hmac.compare_digest(asked, caller.digest):
                found = caller
        if found is None or {(Person.__tablename__, found.person), (Token.__tablename__, found.token)} & (
            self._authority.distrusted
        ):
            return None
        return found


def followed(ledger: Ledger) -> People:
    """Who may act, and from now on whoever is added, changed or removed, before the act is answered."""
    made = People(ledger.database.now(callers), ledger.authority)
    follow(ledger, made)
    return made


def follow(ledger: Ledger, known: People) -> None:
    """Keep these up to date."""

    async def refresh() -> None:
        known.refresh(await ledger.database.read(callers))

    for rows in (Person, Token):
        ledger.follow(rows, refresh)


def callers(session: Session) -> list[Principal]:
    """Everybody, and every machine, whose token opens something."""
    people = {person.name: person for person in session.scalars(select(Person))}
    found = [_caller(person) for person in people.values()]
    found += [_caller(people.get(token.made_by), token) for token in session.scalars(select(Token))]
    return [caller for caller in found if caller is not None]


def anew(session: Session, caller: Principal) -> Principal:
    """The same caller, as the database knows them now. Raises where the token that was sent opens nothing more."""
    token = session.get(Token, caller.token) if caller.token else None
    now = _caller(session.get(Person, caller.person), token) if token is not None or not caller.token else None
    if now is None or now.digest != caller.digest:
        raise unknown_token()
    return now


def _caller(person: Person | None, token: Token | None = None) -> Principal | None:
    """None where there is nobody, or where the token is lost."""
    if person is None:
        return None
    if token is None:
        return Principal(person.name, known(person.roles), digest=person.token_hash) if person.token_hash else None
    if not token.token_hash or token.created_at < person.created_at:
        return None
    return Principal(person.name, known(person.roles), token.name, frozenset(token.scopes), token.token_hash)


def add(unit: Unit, name: str, token: str, roles: Iterable[Role]) -> Person:
    if name == SYSTEM or unit.get(Person, name) is not None:
        raise ControlError(409, "control.person_exists", "There is somebody of that name already.")
    at = time.time_ns() // 1000
    values: dict[str, Any] = {"created_at": at, "roles": _listed(roles), "roles_given": True}
    return unit.add(Person(name=name, token_hash=hashed(token), **values))


def give(unit: Unit, name: str, roles: Iterable[Role]) -> Person:
    """These roles, and no other."""
    person = unit.get(Person, name)
    if person is None:
        raise missing("person")
    return unit.change(person, roles=_listed(roles), roles_given=True)


def remove(unit: Unit, name: str) -> list[str]:
    """With the tokens of the machines that the person answered for, whose names are told, and the password."""
    person = unit.get(Person, name)
    if person is None:
        raise missing("person")
    tokens = unit.session.scalars(select(Token).where(Token.made_by == name).order_by(Token.name)).all()
    for token in tokens:
        unit.remove(token)
    passwords.remove(unit, name)
    unit.remove(person)
    return [token.name for token in tokens]


def guard(unit: Unit, changes: Sequence[Mapping[str, Any]]) -> None:
    """Nobody gives themselves a role, and the last admin stays: by no kind of act, undoing included. An admin, who may
    everything, steps down to any other."""
    ended = False
    for change in changes:
        before, after = (known((change[side] or {}).get("roles", ())) for side in ("before", "after"))
        if change["key"] == unit.person and after - before and Role.ADMIN not in before - after:
            raise ControlError(403, "control.own_role", "Nobody gives themselves a role: let another admin do it.")
        ended = ended or Role.ADMIN in before - after
    if ended and not administered(unit.session):
        raise ControlError(
            409, "control.last_admin", "The last admin stays: nobody could give roles or remove people any more."
        )


def administered(session: Session) -> bool:
    """Whether somebody is an admin, with a token that opens."""
    return any(person.token_hash and Role.ADMIN in known(person.roles) for person in session.scalars(select(Person)))


def ungiven(session: Session) -> int:
    """How many people have a token, and the roles of before there were any."""
    return sum(bool(person.token_hash and not person.roles_given) for person in session.scalars(select(Person)))


def first(session: Session, name: str, uid: str, keep_at: Path, governance: Governance) -> str | None:
    """On the first start create ``name``, an admin, and return the token, which stays in ``keep_at`` (mode 0600); else
    None. As on a first start it is where people came back from the journal alone, which has nobody's token, and where
    an older program, which knows no roles, removed the last admin.

    The file is written before the person is committed: a crash between the two leaves a token that opens nothing and
    is overwritten, never a person whose token nobody knows.
    """
    if administered(session):
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
    if held is None:
        return add(unit, name, token, [Role.ADMIN])
    roles = _listed({*known(held.roles), Role.ADMIN})
    return unit.change(held, token_hash=hashed(token), roles=roles, roles_given=True)


def _listed(roles: Iterable[Role]) -> list[str]:
    """As they are kept: each once, in the order of their table."""
    given = frozenset(roles)
    return [role.value for role in Role if role in given]


def lost(session: Session) -> list[str]:
    """Who came back from the journal has no token: the record never held one."""
    names = session.scalars(select(Person.name).where(Person.token_hash == "").order_by(Person.name))
    return [f"the token of {name} is lost: remove that person and add them again" for name in names]
