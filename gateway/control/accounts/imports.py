"""Bulk import of accounts: NDJSON in, NDJSON of progress out, in bounded memory whatever the size.

Lines are committed ``BATCH`` at a time, each batch one act: an import that breaks off has set what it had reported, and
can be sent again. A line that is wrong is named by its number and skipped; nothing of it is quoted.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
from aiohttp import StreamReader, web
from pydantic import ValidationError
from sqlalchemy import select

from gateway.control.accounts.endpoints import write
from gateway.control.accounts.rows import Account
from gateway.control.accounts.schemas import AccountLine, Imported
from gateway.control.acts.acts import Unit
from gateway.control.acts.ledger import SETTLE_WITHIN
from gateway.control.acts.refusal import ControlError
from gateway.control.calls import connections
from gateway.control.calls.call import Call
from gateway.control.calls.received import WITHIN
from gateway.control.calls.schemas import Why
from gateway.control.calls.validation import problems

BATCH = 500
MAX_LINE = 4096  # bytes
MAX_ERRORS = 100  # told in full; all are counted
PROGRESS_EVERY = 20 * BATCH  # lines; so rare that the answer of a huge import fits into socket buffers


async def accounts(call: Call[None, Why]) -> web.StreamResponse:
    """Import accounts."""
    bound = call.services.bounds.max_import
    if (call.request.content_length or 0) > bound:
        raise ControlError(413, "control.too_large", f"An import may hold {bound} bytes (control.max_import).")
    connections.working(call.request)  # it takes as long as it has to, while something comes
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(call.request)
    run = _Import(call)
    try:
        async for number, line in _lines(call.request.content, bound):
            if run.read(number, line):
                await run.commit()
            if number % PROGRESS_EVERY == 0:
                await response.write(orjson.dumps(run.progress()) + b"\n")
        await run.settle()
    except ControlError as error:
        run.stopped = error.detail
    await response.write(run.result().model_dump_json().encode() + b"\n")
    await response.write_eof()
    return response


class _Import:
    def __init__(self, call: Call[None, Why]) -> None:
        self._call = call
        self._batch: dict[str, AccountLine] = {}
        self._first = 0
        self._last = 0
        self.accepted = 0
        self.refused = 0
        self.errors: list[dict[str, Any]] = []
        self.stopped = ""
        self.in_force = True
        self._act = 0

    def read(self, number: int, line: bytes | None) -> bool:
        """Take one line, None where it is too long; True when a batch is complete."""
        self._last = number
        self._first = self._first or number
        try:
            if line is None:
                raise ValueError(f"is longer than {MAX_LINE} bytes")
            given = AccountLine.model_validate_json(line, strict=True)
        except ValueError as error:
            self.refused += 1
            if len(self.errors) < MAX_ERRORS:
                told = problems("", error) if isinstance(error, ValidationError) else [{"problem": str(error)}]
                self.errors.append({"line": number, "problems": told})
            return False
        self._batch[given.sender] = given
        self.accepted += 1
        return len(self._batch) >= BATCH

    async def commit(self) -> None:
        """Commit what was read since the last time, as one act."""
        batch, self._batch = self._batch, {}
        if not batch:
            return
        subject = f"lines:{self._first}-{self._last}"
        self._first = 0

        def work(unit: Unit) -> None:
            held = {row.sender: row for row in unit.session.scalars(select(Account).where(Account.sender.in_(batch)))}
            for sender, given in batch.items():
                write(unit, held.get(sender), sender, given)

        call = self._call
        done = await call.act(call.query.reason, "account.import", subject, work, settle=False)
        self._act = done.act

    async def settle(self) -> None:
        """Commit the rest, and wait a moment for journal and state: acts go there in order, so the last tells."""
        await self.commit()
        if self._act:
            self.in_force = all(await self._call.services.ledger.relay.settled(self._act, SETTLE_WITHIN))

    def progress(self) -> dict[str, int]:
        return {"lines": self._last, "accepted": self.accepted, "refused": self.refused}

    def result(self) -> Imported:
        return Imported(
            done=not self.stopped, errors=self.errors, stopped=self.stopped, in_force=self.in_force, **self.progress()
        )


async def _next(content: StreamReader) -> bytes:
    """What comes next, empty at the end. Raises ``ControlError`` where nothing does."""
    try:
        async with asyncio.timeout(WITHIN):
            return await content.readany()
    except TimeoutError:
        raise ControlError(408, "control.too_slow", f"Nothing came for {WITHIN:.0f} seconds.") from None


async def _lines(content: StreamReader, bound: int) -> AsyncIterator[tuple[int, bytes | None]]:
    """Lines with their numbers from 1; empty ones are skipped, one that is too long is None."""
    number = 0
    read = 0
    rest = b""
    overlong = False
    while chunk := await _next(content):
        read += len(chunk)
        if read > bound:
            raise ControlError(413, "control.too_large", f"An import may hold {bound} bytes (control.max_import).")
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            number += 1
            if overlong or len(line) > MAX_LINE:
                yield number, None
            elif line.strip():
                yield number, line
            overlong = False
        if len(rest) > MAX_LINE:
            rest, overlong = b"", True
    if overlong or rest.strip():
        yield number + 1, None if overlong or len(rest) > MAX_LINE else rest
