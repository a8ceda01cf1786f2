"""One's own side of the console, and ending sessions: one's own everywhere, or somebody's."""

from __future__ import annotations

from gateway.control.acts.acts import Unit
from gateway.control.acts.refusal import missing
from gateway.control.calls.call import Call, done
from gateway.control.calls.schemas import Done, NoQuery, Why
from gateway.control.console.schemas import ConsoleChoiceOut, ConsoleChosen, SessionsEnded
from gateway.control.console.sessions import console_sessions
from gateway.control.console.sessions.console_sessions import Choice
from gateway.control.console.sessions.rows import ConsoleChoice
from gateway.control.people.rows import Person


async def choices(call: Call[None, NoQuery]) -> ConsoleChoiceOut:
    """How the caller wants to have the console."""
    name = call.caller.person
    return _told(await call.services.database.read(lambda session: console_sessions.choice_of(session, name)))


async def choose(call: Call[ConsoleChosen, NoQuery]) -> Done[ConsoleChoiceOut]:
    """Language, look, and what the caller does not want to see; nobody else's business, so it takes no reason."""
    name, given = call.caller.person, call.body.model_dump(exclude_none=True)

    def work(unit: Unit) -> Choice:
        row = unit.session.get(ConsoleChoice, name)
        if row is None:
            row = ConsoleChoice(person=name, language="", theme="", declined=[], cap=0, rest=0)
            unit.session.add(row)
        for key, value in given.items():
            setattr(row, key, value)
        unit.session.flush()
        return console_sessions.choice_of(unit.session, name)

    outcome = await call.act("own choice", "console.choose", f"person:{name}", work, settle=False)
    return done(outcome, _told(outcome.result))


async def log_out(call: Call[None, Why]) -> Done[SessionsEnded]:
    """Every session of the caller at the console ends, on every machine."""
    name = call.caller.person
    outcome = await call.act(
        call.query.reason, "console.logout", f"person:{name}",
        lambda unit: console_sessions.ended_all(unit.session, name), settle=False,
    )  # fmt: skip
    return done(outcome, SessionsEnded(ended=outcome.result))


async def throw_out(call: Call[None, Why]) -> Done[SessionsEnded]:
    """Every session of a person ends; they may log in again."""
    name = call.path("name")

    def work(unit: Unit) -> int:
        if unit.get(Person, name) is None:
            raise missing("person")
        return console_sessions.ended_all(unit.session, name)

    outcome = await call.act(call.query.reason, "console.logout", f"person:{name}", work, settle=False)
    return done(outcome, SessionsEnded(ended=outcome.result))


def _told(choice: Choice) -> ConsoleChoiceOut:
    return ConsoleChoiceOut(**choice._asdict() | {"declined": list(choice.declined)})
