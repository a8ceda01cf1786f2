"""People and the record of what they did."""

from __future__ import annotations

from sqlalchemy import select

from gateway.control.acts import acts
from gateway.control.acts.acts import Unit
from gateway.control.calls.call import Call, done
from gateway.control.calls.schemas import Done, Gone, NoQuery, Reasoned, Why
from gateway.control.people import people
from gateway.control.people.rows import Person
from gateway.control.people.schemas import (
    ActOut,
    ActsOut,
    ActsQuery,
    PeopleOut,
    PersonMade,
    PersonNew,
    PersonOut,
    Undone,
)


async def listed(call: Call[None, NoQuery]) -> PeopleOut:
    rows = await call.services.database.read(
        lambda session: session.scalars(select(Person).order_by(Person.name)).all()
    )
    return PeopleOut(people=[PersonOut(**row.as_row()) for row in rows])


async def add(call: Call[PersonNew, NoQuery]) -> Done[PersonMade]:
    """The token is in this answer and nowhere else."""
    body, token = call.body, people.new_token()
    outcome = await call.act(
        body.reason, "person.add", f"person:{body.name}", lambda unit: people.add(unit, body.name, token)
    )
    return done(outcome, PersonMade(**outcome.result.as_row(), token=token))


async def remove(call: Call[None, Why]) -> Done[Gone]:
    name = call.path("name")
    outcome = await call.act(
        call.query.reason, "person.remove", f"person:{name}", lambda unit: people.remove(unit, name)
    )
    return done(outcome, Gone())


async def listed_acts(call: Call[None, ActsQuery]) -> ActsOut:
    """From the newest to the oldest. Acts name senders, so reading them is an act."""
    query = call.query
    await call.reads(query.reason, "act.list", query.kind or "acts")
    rows = await call.services.database.read(lambda session: acts.page(session, query.before, query.kind, query.limit))
    return ActsOut(acts=[ActOut.model_validate(row.as_row()) for row in rows])


async def undo(call: Call[Reasoned, NoQuery]) -> Done[Undone]:
    """Put every row of an act back, while no later act has changed it. What the platform deleted stays deleted: of a
    takedown only the refusal of copies is undone, and ``lasting`` says so."""
    number = call.number("act")

    def work(unit: Unit) -> list[str]:
        undone = acts.undo(unit, number)
        return sorted({change["table"] for change in undone.changes} & unit.governance.lasting)

    outcome = await call.act(call.body.reason, "act.undo", f"act:{number}", work)
    return done(outcome, Undone(undone=number, lasting=outcome.result))
