"""Emergency switches and urgent words: in force in every worker within a second (应急处置)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from sqlalchemy import select

from filters.lists.listsource import ListErrors
from filters.lists.wordlist import of_words
from gateway.control.acts.acts import Unit
from gateway.control.acts.refusal import ControlError, missing
from gateway.control.calls.call import Call, done
from gateway.control.calls.schemas import Done, Gone, NoQuery, Why
from gateway.control.switches import snapshot
from gateway.control.switches.rows import Switch, UrgentWord
from gateway.control.switches.schemas import SwitchesOut, SwitchNew, SwitchOut, UrgentNew, UrgentOut, UrgentsOut
from gateway.words.files import folding_tables

FREEZE = "freeze"


async def listed(call: Call[None, NoQuery]) -> SwitchesOut:
    rows = await call.services.database.read(lambda session: session.scalars(select(Switch).order_by(Switch.id)).all())
    return SwitchesOut(switches=[SwitchOut(**row.as_row()) for row in rows])


async def freeze(call: Call[SwitchNew, NoQuery]) -> Done[SwitchOut]:
    body = call.body
    if body.scope == "route" and body.value not in call.services.route_names():
        raise missing("route")

    def work(unit: Unit) -> Switch:
        held = select(Switch).where(Switch.kind == FREEZE, Switch.scope == body.scope, Switch.value == body.value)
        if unit.session.scalar(held) is not None:
            raise ControlError(409, "control.frozen_already", f"This {body.scope} is frozen already.")
        unit.has_room(Switch, snapshot.MAX_SWITCHES)
        return unit.add(
            Switch(
                kind=FREEZE,
                scope=body.scope,
                value=body.value,
                ground=body.ground,
                created_at=time.time_ns() // 1000,
            )
        )

    outcome = await call.act(body.reason, "switch.freeze", f"{body.scope}:{body.value}", work)
    return done(outcome, SwitchOut(**outcome.result.as_row()))


async def unfreeze(call: Call[None, Why]) -> Done[Gone]:
    number = call.number("id")

    def work(unit: Unit) -> None:
        row = unit.get(Switch, number)
        if row is None:
            raise missing("switch")
        unit.remove(row)

    return done(await call.act(call.query.reason, "switch.unfreeze", f"switch:{number}", work), Gone())


async def urgent(call: Call[None, NoQuery]) -> UrgentsOut:
    rows = await call.services.database.read(
        lambda session: session.scalars(select(UrgentWord).order_by(UrgentWord.id)).all()
    )
    return UrgentsOut(words=[UrgentOut(**row.as_row()) for row in rows])


async def add_urgent(call: Call[UrgentNew, NoQuery]) -> Done[UrgentOut]:
    body = call.body
    wrong = await asyncio.to_thread(_problems, body.word)
    if wrong:
        told = [{"where": "body.word", "problem": problem} for problem in wrong]
        raise ControlError(400, "control.word_invalid", "Workers could not look for this word; see errors.", told)

    def work(unit: Unit) -> UrgentWord:
        if unit.session.scalar(select(UrgentWord).where(UrgentWord.word == body.word)) is not None:
            raise ControlError(409, "control.word_exists", "This word is urgent already.")
        unit.has_room(UrgentWord, snapshot.MAX_URGENT)
        return unit.add(UrgentWord(word=body.word, ground=body.ground, created_at=time.time_ns() // 1000))

    outcome = await call.act(body.reason, "urgent.add", "urgent", work)
    return done(outcome, UrgentOut(**outcome.result.as_row()))


async def remove_urgent(call: Call[None, Why]) -> Done[Gone]:
    number = call.number("id")

    def work(unit: Unit) -> None:
        row = unit.get(UrgentWord, number)
        if row is None:
            raise missing("urgent_word")
        unit.remove(row)

    return done(await call.act(call.query.reason, "urgent.remove", f"urgent:{number}", work), Gone())


def _problems(word: str) -> Sequence[str]:
    """What is wrong with an urgent word, as the workers will read it; empty where nothing is."""
    try:
        of_words([word], folding_tables())
    except ListErrors as errors:
        return [f"{problem.what}; {problem.remedy}" for problem in errors.problems]
    return []
