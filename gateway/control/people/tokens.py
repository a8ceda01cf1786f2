"""Tokens of machines: each with scopes, and a person who answers for it.

What a machine may is what one of its scopes names and its person may, at each call: so no token is ever wider than
whoever made it, whatever becomes of their roles, and it ends with them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.control.access.roles import OVERSEE, Principal, Role, Roles, known, told
from gateway.control.acts.acts import Unit
from gateway.control.acts.refusal import ControlError, missing
from gateway.control.people.people import hashed
from gateway.control.people.rows import Person, Token

MAX_TOKENS = 200  # on each call all of them are compared


def make(
    unit: Unit, name: str, scopes: Iterable[str], token: str, maker: Principal, every: Mapping[str, Roles]
) -> Token:
    """A token that may no more than its maker. ``every``: the scopes that there are, and who may something of each."""
    wanted = sorted(set(scopes))
    strange = [{"where": "body.scopes", "problem": "must be scopes that there are: see docs/roles.md"}]
    if not set(wanted) <= every.keys():
        raise ControlError(400, "control.invalid", "The request is not what this endpoint takes; see errors.", strange)
    beyond = [scope for scope in wanted if not every[scope] & maker.roles]
    if beyond:
        raise ControlError(
            403, "control.scope_beyond", f"A token may no more than whoever makes it, and you may not {told(beyond)}."
        )
    if unit.get(Token, name) is not None:
        raise ControlError(409, "control.token_exists", "There is a token of that name already.")
    unit.has_room(Token, MAX_TOKENS)
    # A clock that was set back must not make it a namesake's of before.
    since = unit.session.get_one(Person, maker.person).created_at
    at = max(time.time_ns() // 1000, since)
    return unit.add(Token(name=name, token_hash=hashed(token), scopes=wanted, made_by=maker.person, created_at=at))


def revoke(unit: Unit, name: str, caller: Principal) -> None:
    """Admins any, others their own."""
    row = unit.get(Token, name)
    if row is None or not seen_by(caller, row):
        raise missing("token")
    if row.made_by != caller.person and Role.ADMIN not in caller.roles:
        raise ControlError(
            403, "control.token_foreign", "This token is somebody else's: they or an admin can revoke it."
        )
    unit.remove(row)


def seen_by(caller: Principal, row: Token) -> bool:
    """Whether this token is shown: everybody sees their own."""
    return row.made_by == caller.person or bool(caller.roles & OVERSEE)


def page(session: Session, caller: Principal) -> list[tuple[Token, Roles]]:
    """The tokens that are shown to this caller, each with the roles of whoever answers for it."""
    roles = {person.name: known(person.roles) for person in session.scalars(select(Person))}
    rows = session.scalars(select(Token).order_by(Token.name))
    return [(row, roles.get(row.made_by, frozenset())) for row in rows if seen_by(caller, row)]


def idle(scopes: Iterable[str], roles: Roles, every: Mapping[str, Roles]) -> list[str]:
    """Scopes of which whoever answers for the token may nothing, or nothing more."""
    return sorted(scope for scope in scopes if not every.get(scope, frozenset()) & roles)


def lost(session: Session) -> Sequence[str]:
    """What came back from the journal opens nothing: the record never held it."""
    names = session.scalars(select(Token.name).where(Token.token_hash == "").order_by(Token.name))
    return [f"the machine's token “{name}” is lost: revoke it and make it anew" for name in names]
