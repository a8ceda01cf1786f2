"""A draft of a list: lines more and lines less, held against the record, then put in force as one act, or dropped.

A draft is in force nowhere and kept nowhere: whoever writes it has it, and it is whole in each call.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import orjson
import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.common.posix import cause_of, python
from gateway.control.acts.acts import Unit
from gateway.control.acts.refusal import ControlError, missing
from gateway.control.calls.call import Call, done
from gateway.control.calls.schemas import Done, NoQuery
from gateway.control.lists.compiled_lists import CompiledLists
from gateway.control.lists.rows import Word
from gateway.control.lists.schemas import BackTestAsked, BackTestOut, DraftApplied, DraftLines, DraftOut, HitMessage
from gateway.generation.changes import ADDED, REMOVED, LineChanges, gathered
from gateway.generation.generation import Generation
from gateway.words.specs import ListSpec

log = structlog.get_logger()

READ_WITHIN: Final = 90.0  # seconds that the process may take, with what it takes to compile the list
DAY_US: Final = 86_400 * 1_000_000


class BackTests:
    """Drafts over the journal at ``root``, each in a process of its own, one at a time. ``current`` gives the
    generation in force."""

    def __init__(self, root: Path, current: Callable[[], Generation]) -> None:
        self._root = root
        self._current = current
        self._lock = asyncio.Lock()

    async def run(self, name: str, changes: LineChanges, since_us: int, most: int) -> dict[str, Any]:
        """See ``back_test.compared``. ``changes``: all of the list, with the draft's. Raises ``ControlError``."""
        generation = self._current()
        section = generation.config.lists[name]
        spec = ListSpec(
            name, str(section.path), section.kind, section.category, dict(section.fold), section.max_size,
            *changes, strict=section.strict(),
        )  # fmt: skip
        asked = {
            "root": str(self._root), "artifact": str(generation.artifacts[name]), "spec": spec._asdict(),
            "since_us": since_us, "most": most,
        }  # fmt: skip
        if self._lock.locked():
            raise ControlError(503, "control.busy", "Another draft is held against the record; ask again in a moment.")
        async with self._lock:
            return await _answer(orjson.dumps(asked))


async def _answer(asked: bytes) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *python("gateway.control.lists.back_test"), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(READ_WITHIN):
            output, _ = await process.communicate(asked)
        told: dict[str, Any] = orjson.loads(output)
    except (TimeoutError, orjson.JSONDecodeError):
        code = process.returncode
        log.error("lists.back_test_failed", cause="no answer in time" if code is None else cause_of(code))
        raise ControlError(503, "control.search_failed", "The journal could not be read; try fewer days.") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return told


async def back_test(call: Call[BackTestAsked, NoQuery]) -> BackTestOut:
    """Which recorded messages a draft would hit newly, and which no longer. Nothing is changed; no text is told. That
    the record was read is noted."""
    name, body = await _checked(call, call.body), call.body
    await call.reads(f"a draft of list {name} held against the record", "list.backtest", f"list:{name}")
    rows = await call.services.database.read(lambda session: _rows(session, name))
    drawn = _drawn(body, rows)
    changes = gathered((name, line, effect) for line, effect in {**rows, **drawn}.items()).get(name, LineChanges())
    since = max(time.time_ns() // 1000 - body.days * DAY_US, 0)
    told = await call.service(BackTests).run(name, changes, since, body.messages)
    if "problems" in told:
        problems = [{"where": "body", "problem": problem} for problem in told["problems"]]
        raise ControlError(400, "control.line_invalid", "The list cannot be like this; see errors.", problems)
    return BackTestOut(
        looked_at=told["looked_at"],
        complete=told["complete"],
        newly=told["newly"]["count"],
        no_longer=told["no_longer"]["count"],
        newly_hit=[_message(row) for row in told["newly"]["messages"]],
        no_longer_hit=[_message(row) for row in told["no_longer"]["messages"]],
    )


async def apply(call: Call[DraftApplied, NoQuery]) -> Done[DraftOut]:
    """All of a draft in one act; then compile and reload. Lines that stand as the draft wants them are passed over."""
    body = call.body
    name = await _checked(call, body)
    lists = call.service(CompiledLists)
    in_file = {line for line in body.leave_out if await asyncio.to_thread(lists.holds, name, line)}

    def work(unit: Unit) -> int:
        changed = 0
        for line, effect in (*((line, ADDED) for line in body.add), *((line, REMOVED) for line in body.leave_out)):
            held = unit.session.scalar(select(Word).where(Word.list == name, Word.line == line))
            if held is None and effect == REMOVED and line not in in_file:
                raise missing("line")
            if held is None:
                unit.add(Word(list=name, line=line, effect=effect))
            elif held.effect != effect:
                unit.remove(held)
            else:
                continue
            changed += 1
        if not changed:
            raise ControlError(409, "control.word_exists", "The list stands as the draft wants it already.")
        return changed

    outcome = await call.act(body.reason, "word.apply", f"list:{name}", work)
    return done(outcome, DraftOut(list=name, changed=outcome.result))


def _rows(session: Session, name: str) -> dict[str, str]:
    """What people changed of a list already: effect by line, in the order in which it was done."""
    found = session.execute(select(Word.line, Word.effect).where(Word.list == name).order_by(Word.id))
    return {row[0]: row[1] for row in found}


def _drawn(draft: DraftLines, rows: dict[str, str]) -> dict[str, str]:
    """What a draft adds to ``rows``, as applying it would; a line that it takes back goes from them."""
    found = {}
    for line, effect in (*((line, ADDED) for line in draft.add), *((line, REMOVED) for line in draft.leave_out)):
        if line not in rows:
            found[line] = effect
        elif rows[line] != effect:
            del rows[line]
    return found


async def _checked(call: Call[Any, NoQuery], draft: DraftLines) -> str:
    """The list's name. Raises where it or a line is none."""
    lists, name = call.service(CompiledLists), call.path("name")
    if name not in [info.name for info in await asyncio.to_thread(lists.all)]:
        raise missing("list")
    told: list[dict[str, Any]] = []
    for place, line in enumerate(draft.add):
        wrong: Sequence[str] = await asyncio.to_thread(lists.check, name, line)
        told += [{"where": f"body.add.{place}", "problem": problem} for problem in wrong]
    if told:
        raise ControlError(400, "control.line_invalid", "The list cannot hold these lines; see errors.", told)
    return name


def _message(row: Sequence[Any]) -> HitMessage:
    return HitMessage(id=row[0], route=row[1], room=row[2], at=row[3], verdict=row[4], words=list(row[5]))
