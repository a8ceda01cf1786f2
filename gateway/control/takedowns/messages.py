"""What the journal knows of messages: by our id, by the platform's, by the fingerprint of their text."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import orjson
import structlog

from gateway.common.posix import cause_of, python
from gateway.control.acts.neighbours import Row
from gateway.control.acts.refusal import ControlError
from gateway.control.adapters import journal
from gateway.control.takedowns.neighbours import CopiesTold, CopyTold, MessageTold
from gateway.control.takedowns.sightings import Sightings
from gateway.journal.read import lookup
from gateway.journal.write.writer import Writer
from gateway.judging.refused_copies import fingerprints
from gateway.words.files import folding_tables

log = structlog.get_logger()

LOOK_BACK_US = 7 * 86_400_000_000  # how far the journal is searched for a name that the index does not know
SEARCH_WITHIN = 60.0  # seconds for a search of copies


class JournalMessages:
    """Reads the whole journal of the node, appends through ``writer``; ``sightings`` has the index of names."""

    def __init__(self, root: Path, writer: Writer, sightings: Sightings) -> None:
        self._root = root
        self._writer = writer
        self._sightings = sightings

    async def find(self, message_id: str) -> MessageTold | None:
        told = await asyncio.to_thread(lookup.find, self._root, message_id)
        if told is None:
            return None
        first = told.first
        texts = first.get("content", {}).get("plain")
        return MessageTold(
            message_id,
            first["route"],
            first["room"],
            told.at,
            told.verdict,
            told.state,
            told.upstream_id,
            tuple(texts) if texts is not None else None,
        )

    async def named(self, route: str, upstream_id: str) -> str:
        found = await self._sightings.named(route, upstream_id)
        if found:
            return found
        since = time.time_ns() // 1000 - LOOK_BACK_US
        return await asyncio.to_thread(lookup.find_upstream, self._root, route, upstream_id, since) or ""

    def fingerprint(self, texts: tuple[str, ...]) -> str:
        return fingerprints(folding_tables()).scan(texts).fingerprint.hex()

    async def copies(self, fingerprint: str, since_us: int, but: str) -> CopiesTold:
        """In a process of its own: reading a day of messages keeps a core busy for a while, and control must answer."""
        asked = {"root": str(self._root), "fingerprint": fingerprint, "since_us": since_us, "but": but}
        process = await asyncio.create_subprocess_exec(
            *python("gateway.control.takedowns.copysearch"),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(SEARCH_WITHIN):
                output, _ = await process.communicate(orjson.dumps(asked))
            told: dict[str, Any] = orjson.loads(output)
        except (TimeoutError, orjson.JSONDecodeError):
            code = process.returncode
            log.error("copies.search_failed", cause="no answer in time" if code is None else cause_of(code))
            raise ControlError(
                503, "control.search_failed", "The journal could not be searched; try less time."
            ) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        copies = [CopyTold(*row) for row in told["copies"]]
        return CopiesTold(copies, told["senders"], told["more"], told["complete"])

    async def append(self, record: Row) -> None:
        await journal.append(self._writer, record)
