"""Calls of ``lua/project.lua``: what control projects is written where it is newer than what is there.

On a single server one call holds many values, and looks at whose state it is by itself. In a cluster each value is a
call of its own, in its slot; there the two are looked at just before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from redis.exceptions import NoScriptError

TEXT: Final = (Path(__file__).with_name("lua") / "project.lua").read_text(encoding="utf-8")
AT_ONCE: Final = 200  # values of one call: nobody's message waits longer than for them
CALLS: Final = 1000  # of one pipeline
KEPT_MS: Final = 3_600_000  # so late may a write be, and still do nothing


class DatedValue(NamedTuple):
    """``value``: None for one that goes. ``dated``: the key of its act; ``act``: up to which its row was read."""

    key: str
    value: str | None
    dated: str
    act: int


class WriteGuard(NamedTuple):
    """Nothing is written but while ``key`` says ``value``."""

    key: str
    value: str


class ProjectionScript:
    """``redis``: a redis-py client, of a cluster with ``cluster``. ``owner``: the key that says whose state it is, and
    the id that it has to say; asked on a single server alone."""

    def __init__(self, redis: Any, *, cluster: bool, owner: tuple[str, str] | None) -> None:
        self._redis = redis
        self._cluster = cluster
        self._owner = owner if not cluster else None
        self._digest = ""

    async def rows(self, values: Sequence[DatedValue], guards: Sequence[WriteGuard], *, kept: bool) -> list[Any]:
        """Write values; ``guards``: one, or in a cluster one for each value, in its slot. ``kept``: whether their acts
        stay beside them. The replies."""
        at_once = 1 if self._cluster else AT_ONCE
        calls = []
        for start in range(0, len(values), at_once):
            some = values[start : start + at_once]
            names = [name for one in some for name in (one.key, one.dated)]
            told = [word for one in some for word in (one.value or "", one.act)]
            guard = guards[start] if self._cluster else guards[0]
            calls.append(self._call("rows", guard, names, KEPT_MS if kept else 0, told))
        return await self._sent(calls)

    async def raised(self, number: int, pairs: Iterable[tuple[str, Any]], guard: WriteGuard | None = None) -> list[Any]:
        """Write all of these unless one of them has a higher number, and while the guard stands; in a cluster each by
        itself. The replies."""
        several = [[pair] for pair in pairs] if self._cluster else [list(pairs)]
        guard = None if self._cluster else guard
        return await self._sent(
            [
                self._call("raise", guard, [key for key, _ in some], number, [value for _, value in some])
                for some in several
            ]
        )

    async def dropped(self, guard: WriteGuard) -> None:
        """Remove a key while it says this."""
        await self._sent([self._call("drop", guard, [guard.key], 0, [])])

    def _call(self, what: str, guard: WriteGuard | None, names: list[str], number: int, values: list[Any]) -> list[Any]:
        owner, ours = self._owner or (names[0], "")
        key, told = guard or (names[0], "")
        return [len(names) + 2, key, owner, *names, what, told, ours, number, *values]

    async def _sent(self, calls: Sequence[list[Any]]) -> list[Any]:
        replies: list[Any] = []
        for start in range(0, len(calls), CALLS):
            some = calls[start : start + CALLS]
            if not self._digest:
                self._digest = await self._loaded()
            try:
                replies += await self._piped(some)
            except NoScriptError:  # a server that was started again, or a replica that took over
                self._digest = await self._loaded()
                replies += await self._piped(some)  # once more for those that were done means the same
        return [reply.decode() if isinstance(reply, bytes) else reply for reply in replies]

    async def _loaded(self) -> str:
        told = await self._redis.script_load(TEXT)
        return told.decode() if isinstance(told, bytes) else str(told)

    async def _piped(self, calls: Sequence[list[Any]]) -> list[Any]:
        pipeline: Any = self._redis.pipeline(transaction=False)
        for call in calls:
            pipeline.execute_command("EVALSHA", self._digest, *call)
        return await pipeline.execute()  # type: ignore[no-any-return]
