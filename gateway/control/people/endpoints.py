"""People, their machines, and the record of what they did."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.control.access.roles import Principal, Roles, lacks, refused
from gateway.control.acts import acts
from gateway.control.acts.acts import Unit
from gateway.control.acts.governance import Table
from gateway.control.acts.refusal import ControlError, missing
from gateway.control.calls.call import Call, done
from gateway.control.calls.endpoint import scopes
from gateway.control.calls.schemas import Done, Gone, NoQuery, Reasoned, Why
from gateway.control.people import passwords, people, tokens
from gateway.control.people.passwords import Passwords
from gateway.control.people.rows import Person, Token
from gateway.control.people.schemas import (
    ActOut,
    ActsOut,
    ActsQuery,
    MeOut,
    PasswordChanged,
    PasswordChosen,
    PasswordGiven,
    PeopleOut,
    PersonGone,
    PersonMade,
    PersonNew,
    PersonOut,
    RolesPut,
    TokenMade,
    TokenNew,
    TokenOut,
    TokensOut,
    Undone,
)


async def me(call: Call[None, NoQuery]) -> MeOut:
    """Whose token this is, and what it may."""
    caller = call.caller
    may = [one for one in call.services.endpoints if not one.open and refused(one.access, caller) is None]
    return MeOut(
        person=caller.person,
        roles=sorted(caller.roles),
        token=caller.token or None,
        scopes=sorted(caller.scopes) if caller.token else None,
        may=[f"{one.method} {one.path}" for one in may],
    )


async def listed(call: Call[None, NoQuery]) -> PeopleOut:
    def work(session: Session) -> PeopleOut:
        rows = session.scalars(select(Person).order_by(Person.name)).all()
        return PeopleOut(people=[_person(session, row) for row in rows])

    return await call.services.database.read(work)


async def add(call: Call[PersonNew, NoQuery]) -> Done[PersonMade]:
    """The token is in this answer and nowhere else."""
    body, token = call.body, people.new_token()
    outcome = await call.act(
        body.reason, "person.add", f"person:{body.name}", lambda unit: people.add(unit, body.name, token, body.roles)
    )
    return done(outcome, PersonMade(**outcome.result.as_row(), token=token))


async def give_roles(call: Call[RolesPut, NoQuery]) -> Done[PersonOut]:
    """These and no other. In force at once, for machines that the person answers for as well. Nobody gives themselves
    a role, and the last admin stays."""
    name, body = call.path("name"), call.body
    outcome = await call.act(
        body.reason, "person.roles", f"person:{name}",
        lambda unit: _person(unit.session, people.give(unit, name, body.roles)),
    )  # fmt: skip
    return done(outcome, outcome.result)


async def give_password(call: Call[Reasoned, NoQuery]) -> Done[PasswordGiven]:
    """One that its owner has to change before anything else. It is in this answer and nowhere else. Whoever is at the
    console in their name has to log in again."""
    name, password = call.path("name"), passwords.one_time()
    encoded = await call.service(Passwords).hashed(password)
    outcome = await call.act(
        call.body.reason, "person.password", f"person:{name}",
        lambda unit: passwords.put(unit, name, encoded, once=True),
    )  # fmt: skip
    return done(outcome, PasswordGiven(person=name, password=password))


async def choose_password(call: Call[PasswordChosen, NoQuery]) -> Done[PasswordChanged]:
    """One's own. Every session at the console that was opened with the one before is closed."""
    name, password = call.caller.person, call.body.password
    passwords.check(name, password)
    encoded = await call.service(Passwords).hashed(password)
    outcome = await call.act(
        "own password", "person.password", f"person:{name}",
        lambda unit: passwords.put(unit, name, encoded, once=False),
    )  # fmt: skip
    return done(outcome, PasswordChanged())


async def remove(call: Call[None, Why]) -> Done[PersonGone]:
    """With the tokens of the machines that the person answered for. The last admin stays."""
    name = call.path("name")
    outcome = await call.act(
        call.query.reason, "person.remove", f"person:{name}", lambda unit: people.remove(unit, name)
    )
    return done(outcome, PersonGone(tokens=outcome.result))


async def machines(call: Call[None, NoQuery]) -> TokensOut:
    """Tokens of machines: one's own; all of them for leads, auditors and admins."""
    caller = call.caller
    rows = await call.services.database.read(lambda session: tokens.page(session, caller))
    every = scopes(call.services.endpoints)
    return TokensOut(tokens=[_token(every, row, roles) for row, roles in rows])


async def machine(call: Call[None, NoQuery]) -> TokenOut:
    """One of those that “List tokens” shows."""
    name, caller = call.path("name"), call.caller

    def work(session: Session) -> tuple[Token, Roles]:
        found = [one for one in tokens.page(session, caller) if one[0].name == name]
        if not found:
            raise missing("token")
        return found[0]

    return _token(scopes(call.services.endpoints), *await call.services.database.read(work))


async def make_token(call: Call[TokenNew, NoQuery]) -> Done[TokenMade]:
    """For a machine that the caller answers for; it may no more than its scopes, nor than the caller, at any time. The
    token is in this answer and nowhere else."""
    body, token = call.body, people.new_token()
    every = scopes(call.services.endpoints)

    def work(unit: Unit) -> tuple[Token, Roles]:
        maker = call.permitted(unit.session)
        return tokens.make(unit, body.name, body.scopes, token, maker, every), maker.roles

    outcome = await call.act(body.reason, "token.make", f"token:{body.name}", work)
    return done(outcome, TokenMade(**_token(every, *outcome.result).model_dump(), token=token))


async def revoke_token(call: Call[None, Why]) -> Done[Gone]:
    """One's own; admins any."""
    name = call.path("name")

    def work(unit: Unit) -> None:
        tokens.revoke(unit, name, call.permitted(unit.session))

    return done(await call.act(call.query.reason, "token.revoke", f"token:{name}", work), Gone())


async def listed_acts(call: Call[None, ActsQuery]) -> ActsOut:
    """From the newest to the oldest. Acts name senders, so reading them is an act."""
    query = call.query
    await call.reads(query.reason, "act.list", query.kind or "acts")
    rows = await call.services.database.read(lambda session: acts.page(session, query.before, query.kind, query.limit))
    return ActsOut(acts=[ActOut.model_validate(row.as_row()) for row in rows])


async def undo(call: Call[Reasoned, NoQuery]) -> Done[Undone]:
    """Put every row of an act back, while no later act has changed it, for whoever might change each of them otherwise.
    What the platform deleted stays deleted: of a takedown only the refusal of copies is undone, and ``lasting`` says
    so."""
    number = call.number("act")

    def work(unit: Unit) -> list[str]:
        caller = call.permitted(unit.session)
        undone = acts.undo(unit, number, lambda table: _may_restore(table, caller))
        return sorted({change["table"] for change in undone.changes} & unit.governance.lasting)

    outcome = await call.act(call.body.reason, "act.undo", f"act:{number}", work)
    return done(outcome, Undone(undone=number, lasting=outcome.result))


def _may_restore(table: Table, caller: Principal) -> None:
    if not caller.roles & table.restored_by:
        raise ControlError(403, "control.role_refused", lacks(table.restored_by, caller))


def _token(every: Mapping[str, Roles], row: Token, roles: Roles) -> TokenOut:
    return TokenOut(**row.as_row(), idle=tokens.idle(row.scopes, roles, every))


def _person(session: Session, row: Person) -> PersonOut:
    return PersonOut.model_validate(row.as_row() | {"password": passwords.told(session, row.name)})
