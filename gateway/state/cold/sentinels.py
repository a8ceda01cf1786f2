"""Where the primary is, as the sentinels say who watch it.

All are asked at once: one whose host is gone must not hold up what the others know. During a fail-over they disagree
for a moment; the highest configuration epoch is the latest word (Sentinel's documentation, “configuration epochs”).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from gateway.state.model.settings import Address

GRACE: Final = 0.1  # seconds that the others have after the first one has answered


class Sentinels:
    """``clients``: of one sentinel each, closed with this. ``service``: the name of the primary."""

    def __init__(self, clients: Sequence[Redis], service: str) -> None:
        self._clients = clients
        self._service = service

    async def primary(self) -> Address:
        """Raises ``ConnectionError`` where none of them names one."""
        waiting = {asyncio.ensure_future(self._told(client)) for client in self._clients}
        told: list[tuple[int, Address]] = []
        problem = ""
        try:
            while waiting:
                done, waiting = await asyncio.wait(
                    waiting, timeout=GRACE if told else None, return_when=asyncio.FIRST_COMPLETED
                )
                if not done:
                    break
                for one in done:
                    error = one.exception()
                    if error is None:
                        told.append(one.result())
                    elif isinstance(error, (RedisError, OSError, LookupError)):
                        problem = type(error).__name__
                    else:
                        raise error
        finally:
            for one in waiting:
                one.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        if not told:
            raise ConnectionError(f"no sentinel names a primary ({problem})")
        return max(told, key=lambda one: one[0])[1]

    async def primaries(self) -> frozenset[Address]:
        """The one that there is. Raises ``ConnectionError``."""
        return frozenset((await self.primary(),))

    async def close(self) -> None:
        """Close the connections."""
        for client in self._clients:
            await client.aclose()

    async def _told(self, client: Redis) -> tuple[int, Address]:
        """The configuration epoch, 0 where it may not be asked, and the primary."""
        named: Any = await client.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._service)  # type: ignore[no-untyped-call]
        if not named:
            raise LookupError("no such service")
        host, port = (part.decode() if isinstance(part, bytes) else str(part) for part in named)
        try:
            told: Any = await client.execute_command("SENTINEL", "MASTER", self._service)  # type: ignore[no-untyped-call]
        except ResponseError:  # NOPERM: it is asked only so as to choose between several
            return 0, Address(host=host, port=int(port))
        if not isinstance(told, Mapping):
            told = dict(zip(told[::2], told[1::2], strict=False))
        return int(told.get(b"config-epoch", 0)), Address(host=host, port=int(port))
