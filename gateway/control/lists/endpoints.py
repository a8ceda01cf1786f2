"""Word lists: what is in force, what was changed on top of the operator's file, and what a text would meet."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.control.acts.acts import Unit
from gateway.control.acts.refusal import ControlError, missing
from gateway.control.calls.call import Call, done
from gateway.control.calls.schemas import Done, NoQuery, ReloadAsk, ReloadOut
from gateway.control.cases import precision
from gateway.control.cases.precision import Precision
from gateway.control.lists.compiled_lists import CompiledLists
from gateway.control.lists.rows import Word
from gateway.control.lists.schemas import (
    ListOut,
    ListsOut,
    PrecisionOut,
    PrecisionQuery,
    PrecisionsOut,
    TryOut,
    TryText,
    WordGone,
    WordNew,
    WordOut,
    WordPrecisionOut,
)
from gateway.generation.changes import ADDED, REMOVED


async def listed(call: Call[None, NoQuery]) -> ListsOut:
    rows = await call.services.database.read(lambda session: session.scalars(select(Word).order_by(Word.id)).all())
    lists = await asyncio.to_thread(call.service(CompiledLists).all)
    return ListsOut(
        lists=[
            ListOut(**info._asdict(), changes=[WordOut(**row.as_row()) for row in rows if row.list == info.name])
            for info in lists
        ]
    )


async def add(call: Call[WordNew, NoQuery]) -> Done[WordOut]:
    """Add a line, or take back that it was removed; then compile and reload."""
    name, line = await _known(call.service(CompiledLists), call.path("name")), call.body.line
    wrong = await asyncio.to_thread(call.service(CompiledLists).check, name, line)
    if wrong:
        told = [{"where": "body.line", "problem": problem} for problem in wrong]
        raise ControlError(400, "control.line_invalid", "The list cannot hold this line; see errors.", told)

    def work(unit: Unit) -> None:
        held = _held(unit.session, name, line)
        if held is None:
            unit.add(Word(list=name, line=line, effect=ADDED))
        elif held.effect == REMOVED:
            unit.remove(held)
        else:
            raise ControlError(409, "control.word_exists", "This line was added already.")

    outcome = await call.act(call.body.reason, "word.add", f"list:{name}", work)
    return done(outcome, WordOut(list=name, line=line, effect="added"))


async def remove(call: Call[None, WordGone]) -> Done[WordOut]:
    """Take an added line back, or leave out one of the operator's file; then compile and reload. 404 where neither is
    there: nothing was removed, and whoever thinks so should know."""
    name, line = await _known(call.service(CompiledLists), call.path("name")), call.query.line
    in_file = await asyncio.to_thread(call.service(CompiledLists).holds, name, line)

    def work(unit: Unit) -> None:
        held = _held(unit.session, name, line)
        if held is None and not in_file:
            raise missing("line")
        if held is None:
            unit.add(Word(list=name, line=line, effect=REMOVED))
        elif held.effect == ADDED:
            unit.remove(held)
        else:
            raise ControlError(409, "control.word_removed", "This line was removed already.")

    outcome = await call.act(call.query.reason, "word.remove", f"list:{name}", work)
    return done(outcome, WordOut(list=name, line=line, effect="removed"))


async def attempt(call: Call[TryText, NoQuery]) -> TryOut:
    """What a text would meet in the generation in force. Nothing is recorded of it and nobody is judged."""
    name = await _known(call.service(CompiledLists), call.path("name"))
    return await asyncio.to_thread(call.service(CompiledLists).attempt, name, call.body.text)


async def precise(call: Call[None, PrecisionQuery]) -> PrecisionsOut:
    """What reviewers made of the messages that words and lists held. No message and no person is told of."""
    query = call.query

    def work(session: Session) -> tuple[list[Precision], bool, list[Precision]]:
        words = precision.by_word(session, query.list, query.since, query.limit) if query.list else []
        return *precision.by_list(session, query.since), words

    lists, complete, words = await call.services.database.read(work)
    ids = [one.word for one in words]
    known = await asyncio.to_thread(call.service(CompiledLists).written, query.list, ids) if query.list else {}
    return PrecisionsOut(
        lists=[PrecisionOut(**_worth(one)) for one in lists],
        words=[WordPrecisionOut(**_worth(one), word_id=one.word, word=known.get(one.word)) for one in words],
        complete=complete,
    )


def _worth(one: Precision) -> dict[str, Any]:
    return {name: getattr(one, name) for name in PrecisionOut.model_fields}


async def reload(call: Call[ReloadAsk, NoQuery]) -> Done[ReloadOut]:
    """Compile configuration and lists anew and swap; on a problem the last good generation stays."""
    outcome = await call.act(call.body.reason, "reload", "generation", _nothing)
    await call.services.ledger.mend()  # where somebody lost the file of changes, this brings it back
    reloaded = await call.services.reloader.reload(call.body.may_shrink)
    return done(outcome._replace(reload=reloaded), ReloadOut.model_validate(reloaded._asdict()))


async def _known(lists: CompiledLists, name: str) -> str:
    known: Sequence[str] = [info.name for info in await asyncio.to_thread(lists.all)]
    if name not in known:
        raise missing("list")
    return name


def _held(session: Session, name: str, line: str) -> Word | None:
    return session.scalar(select(Word).where(Word.list == name, Word.line == line))


def _nothing(_unit: Unit) -> None:
    return None
