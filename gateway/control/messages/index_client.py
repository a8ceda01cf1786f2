"""The index as control asks it, and the journal itself where there is none or it does not answer."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from gateway.appeals import finding
from gateway.appeals.codes import Codes
from gateway.common import channel
from gateway.control.acts.refusal import ControlError
from gateway.control.workers.totals import Series
from gateway.journal.read import lookup

AT_ONCE: Final = 3
"""Searches that are answered at once. Each costs control tens of milliseconds, of the loop and of the database's one
thread, and an act (a freeze) that comes meanwhile waits behind no more than these."""
WAITING: Final = 64  # searches, those that are answered among them
WITHIN: Final = 5.0  # seconds besides those that a search may take
MESSAGE_WITHIN: Final = 3.0
STATUS_WITHIN: Final = 0.5


class IndexClient:
    """``socket``: the index's; ``enabled``: whether the configuration in force has one, and ``query_time`` of it.
    ``codes``: those of appeals that are in force."""

    def __init__(
        self,
        journal: Path,
        socket: Path,
        enabled: Callable[[], float | None],
        codes: Callable[[], Codes | None],
    ) -> None:
        self._journal = journal
        self._socket = socket
        self._enabled = enabled
        self._codes = codes
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._wanted = 0

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """For a search, from its act to its answer; in the order in which they came. Raises ``ControlError``."""
        if self._wanted >= WAITING:
            raise ControlError(503, "control.busy", "Too many search at once; try again in a moment.")
        self._wanted += 1
        try:
            async with self._turns:
                yield
        finally:
            self._wanted -= 1

    async def search(
        self, asked: Mapping[str, Any], limit: int, place: Sequence[Any] | None
    ) -> dict[str, Any]:  # fmt: skip
        """A page, as the index tells it. Raises ``ControlError``."""
        query_time = self._enabled()
        if query_time is None:
            raise ControlError(409, "control.index_off", "This node has no index: the configuration has no [index].")
        request = {"command": "search", "asked": asked, "limit": limit, "place": place}
        return await self._call(request, query_time + WITHIN)

    async def message(self, message_id: str) -> dict[str, Any] | None:
        """One message and the records of what became of it; None where nobody knows it. Without an index, of what came
        after its outcome nothing is known."""
        if self._enabled() is not None:
            try:
                told = await self._call({"command": "message", "id": message_id}, MESSAGE_WITHIN)
            except ControlError:
                told = {"found": None}
            if told["found"] is not None:
                return {**told["found"], "trail": told["trail"], "whole": True}
        held = await asyncio.to_thread(lookup.find, self._journal, message_id)
        if held is None:
            return None
        trail = [held.outcome] if held.outcome is not None else []
        return {"at": held.at, "state": held.state, "record": held.first, "trail": trail, "whole": False}

    async def coded(self, code: str) -> Sequence[str]:
        """Our ids of what a code of an appeal stands for."""
        codes = self._codes()
        if codes is None:
            return ()
        return await asyncio.to_thread(finding.find, self._journal, codes, code, time.time_ns() // 10**9)

    async def series(self) -> dict[str, Series]:
        """Its metrics, where there is to be one."""
        if self._enabled() is None:
            return {}
        try:
            told = await channel.call(self._socket, {"command": "status"}, STATUS_WITHIN)
        except channel.ChannelError:
            return {"tidegate_index_up": {(): 0.0}}
        return {
            "tidegate_index_up": {(): float(not told["problem"])},
            "tidegate_index_behind_bytes": {(): float(told["behind"])},
            "tidegate_index_bytes": {(): float(told["size"])},
            "tidegate_index_rebuilds_total": {(): float(told["rebuilds"])},
        }

    async def _call(self, request: dict[str, Any], within: float) -> dict[str, Any]:
        try:
            told = await channel.call(self._socket, request, within)
        except channel.ChannelError as error:
            raise _away(error.cause) from None
        if "error" in told:
            raise _away(str(told["error"]))
        return told


def _away(cause: str) -> ControlError:
    return ControlError(503, "control.index_unavailable", f"The index does not answer ({cause}); try again.")
