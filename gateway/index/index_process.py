"""The index's process: it follows the journal and answers questions over its socket (``run/index.sock``).

    status      how far it is, and what is wrong
    search      a page of messages
    message     one message with everything that became of it
    reindex     files are thrown away, and made again

The loop only listens. One thread writes, one asks; what cannot be asked within a moment because too much waits is
refused. Where the disk is full, or a file is broken, it says so and tries again: nobody waits for it.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import Any, Final, TypeVar

import structlog

from gateway.common import channel
from gateway.common.folders import Folders
from gateway.generation import conversion
from gateway.generation.generation import Generation
from gateway.index.indexer import Indexer, NoRoom
from gateway.index.searching import NEVER, FoundMessage, SearchAsked, Searcher, SearchPlace
from gateway.index.store.day_files import DayFiles
from gateway.index.store.entries import STATES
from gateway.journal.read.reader import Flaw

T = TypeVar("T")
log = structlog.get_logger("index")

TURN_EVERY: Final = 0.5  # seconds between two turns where nothing is new
LONGEST_PAUSE: Final = 30.0  # seconds, after turns that failed
TOLD_EVERY: Final = 60.0  # seconds between two lines about the same failure
WAITING: Final = 16  # questions that may wait
MOST: Final = 200  # messages on a page


class IndexProcess:
    """``run`` until ``stop`` is set. What the configuration says of the index is read at its start."""

    def __init__(self, folders: Folders, generation: Generation, stop: asyncio.Event) -> None:
        config = generation.config
        self._folders = folders
        self._stop = stop
        self._settings = conversion.index(config)
        self._files = DayFiles(folders.index(config))
        journal = folders.journal(config)
        self._indexer = Indexer(
            journal, self._files, self._settings, low_disk=config.journal.low_disk, on_flaw=self._on_flaw
        )
        self._searcher = Searcher(journal, self._files)
        self._asking = ThreadPoolExecutor(1, "index questions")
        self._waiting = 0
        self._problem = ""
        self._told_at = 0.0
        self._thrown: list[tuple[frozenset[str], asyncio.Future[int]]] = []
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Raises ``OSError`` where the socket cannot be made."""
        async with AsyncExitStack() as stack:
            stack.callback(self._asking.shutdown, wait=False, cancel_futures=True)
            commands = await channel.serve(
                self._folders.index_socket,
                {
                    "status": self._on_status,
                    "search": self._on_search,
                    "message": self._on_message,
                    "reindex": self._on_reindex,
                },
            )
            stack.push_async_callback(commands.close)
            log.info("index.following")
            await self._follow()
            await asyncio.to_thread(self._indexer.close)

    async def _follow(self) -> None:
        stopping = asyncio.create_task(self._stop.wait())
        pause = TURN_EVERY
        while not self._stop.is_set():
            more, failed = await self._turn()
            pause = min(2 * pause, LONGEST_PAUSE) if failed else TURN_EVERY
            if not more:
                waking = asyncio.create_task(self._wake.wait())
                await asyncio.wait([stopping, waking], timeout=pause, return_when=asyncio.FIRST_COMPLETED)
                waking.cancel()
            self._wake.clear()

    async def _turn(self) -> tuple[bool, bool]:
        """Whether there is more to do, and whether it failed."""
        thrown, self._thrown = self._thrown, []
        suspects, self._searcher.suspects = self._searcher.suspects, {}
        try:
            for day, suspicion in suspects.items():
                await asyncio.to_thread(self._indexer.suspect, day, suspicion)
            for days, answer in thrown:
                count = await asyncio.to_thread(self._indexer.throw_away, days)
                log.info("index.thrown_away", files=count)
                if not answer.done():
                    answer.set_result(count)
            more = await asyncio.to_thread(self._indexer.turn)
        except NoRoom:
            return self._fail("disk", "less is free than journal.low_disk")
        except OSError as error:
            return self._fail("disk", error.strerror or type(error).__name__)
        except sqlite3.Error as error:
            return self._fail("disk", str(error))
        except Exception as error:  # a fault of ours must not be a process that dies again and again
            told = self._fail("fault", type(error).__name__)
            log.error("index.fault", exc_info=True)
            return told
        if self._problem:
            self._problem = ""
            log.info("index.well_again")
        return more, False

    def _fail(self, cause: str, detail: str) -> tuple[bool, bool]:
        now = time.monotonic()
        if cause != self._problem or now - self._told_at >= TOLD_EVERY:
            log.error("index.behind", cause=cause, detail=detail)
            self._told_at = now
        self._problem = cause
        return False, True

    def _on_flaw(self, flaw: Flaw) -> None:
        log.error("index.journal_flaw", folder=flaw.folder, segment=flaw.segment, offset=flaw.offset, code=flaw.code)

    # -- questions

    async def _on_search(self, request: dict[str, Any]) -> dict[str, Any]:
        asked = _asked(request["asked"])
        place = _place(request.get("place"))
        limit = min(max(int(request["limit"]), 1), MOST)
        page = await self._ask(lambda: self._searcher.search(asked, limit, self._settings.query_time, place))
        if page is None:
            return {"error": "busy"}
        return {
            "found": [_told(one) for one in page.found],
            "place": _shown(page.place),
            "complete": page.complete,
            **self._standing(),
        }

    async def _on_message(self, request: dict[str, Any]) -> dict[str, Any]:
        found = await self._ask(lambda: (self._searcher.message(str(request["id"])),))
        if found is None:
            return {"error": "busy"}
        if found[0] is None:
            return {"found": None, **self._standing()}
        message, trail = found[0]
        return {"found": _told(message), "trail": trail, **self._standing()}

    async def _ask(self, work: Callable[[], T]) -> T | None:
        """None where too much waits."""
        if self._waiting >= WAITING:
            return None
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._asking, work)
        finally:
            self._waiting -= 1
            if self._searcher.suspects:
                self._wake.set()

    async def _on_reindex(self, request: dict[str, Any]) -> dict[str, Any]:
        days = frozenset(map(str, request.get("days", ())))
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._thrown.append((days, answer))
        self._wake.set()
        return {"ok": True, "files": await answer}

    def _standing(self) -> dict[str, Any]:
        progress = self._indexer.progress
        return {"behind": progress.behind, "since": progress.since, "problem": self._problem}

    def _on_status(self, request: dict[str, Any]) -> dict[str, Any]:
        progress = self._indexer.progress
        return {
            "ok": True, "pid": os.getpid(), "days": progress.days, "size": progress.size,
            "records": self._indexer.records, "rebuilds": self._indexer.rebuilds, **self._standing(),
        }  # fmt: skip


def _asked(told: dict[str, Any]) -> SearchAsked:
    state = told.get("state")
    if state is not None and state not in STATES:
        raise ValueError("no such state")
    texts = {name: str(told.get(name, "")) for name in ("sender", "room", "route", "verdict", "reason", "text")}
    until = told.get("until_us")
    return SearchAsked(
        ids=tuple(map(str, told.get("ids", ()))), state=state, since_us=int(told.get("since_us", 0)),
        until_us=NEVER if until is None else int(until), **texts,
    )  # fmt: skip


def _told(found: FoundMessage) -> dict[str, Any]:
    return {"at": found.time, "state": found.state, "record": found.record, "events": found.events}


def _place(told: Any) -> SearchPlace | None:
    """From ``[[[node, date, row], …], [date, node]]``."""
    if told is None:
        return None
    begun, (date, node) = told
    return SearchPlace({(str(one), str(day)): int(below) for one, day, below in begun}, (str(date), str(node)))


def _shown(place: SearchPlace | None) -> Any:
    return [[[*day, below] for day, below in place.begun.items()], place.rest] if place is not None else None
