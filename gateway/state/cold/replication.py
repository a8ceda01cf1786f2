"""Whether replicas have what was written: WAIT, with a bound, and not at all where there are none.

Replication is asynchronous: what a primary has acknowledged may be lost with it. WAIT counts replicas that have
everything up to the last write of the connection that asks, and what is replicated is one stream; so a write of its own
stands for all that was written before it, on whichever connection.
"""

from __future__ import annotations

from typing import Any, Final

from redis.exceptions import ResponseError

from gateway.state.cold import topology
from gateway.state.model.keys import Keys

WITHIN_MS: Final = 250  # milliseconds: a replica that is well answers in a round trip or two


class Replication:
    """``redis``: a redis-py client, of a cluster with ``cluster``. ``look`` counts replicas; ``confirmed`` believes
    that count."""

    def __init__(self, redis: Any, keys: Keys, *, cluster: bool) -> None:
        self._redis = redis
        self._keys = keys
        self._cluster = cluster
        self._replicas: dict[str, int] = {}  # those connected, by the key that is written on their primary
        self._late = False  # none had it in time: until a look finds otherwise nobody waits for them
        self._writes = 0

    async def look(self) -> bool | None:
        """Whether every replica that is connected has all that was written until now; None where there is none.
        Raises redis-py's errors, of a server that does not answer."""
        self._replicas = await self._counted()
        told = await self._waited()
        self._late = any(told.get(key, 0) < 1 for key, many in self._replicas.items() if many)
        if not self._replicas:
            return None
        return all(many and told.get(key, 0) >= many for key, many in self._replicas.items())

    async def confirmed(self) -> bool | None:
        """Whether a replica of each primary that has any has all that was written until now; None where there is
        none. The last look counted them. Raises redis-py's errors."""
        if not any(self._replicas.values()):
            return None
        if self._late:
            return False
        told = await self._waited()
        self._late = any(told.get(key, 0) < 1 for key, many in self._replicas.items() if many)
        return not self._late

    async def _counted(self) -> dict[str, int]:
        """Empty where there are none, or none is told of."""
        try:
            if not self._cluster:
                told = await self._redis.info("replication")
                many = int(told.get("connected_slaves", 0))
                return {self._keys.look(-1): many} if many else {}
            found = {}
            for node, slot in await topology.owners(self._redis):
                told = await self._redis.info("replication", target_nodes=node)
                found[self._keys.look(slot)] = int(told.get("connected_slaves", 0))
        except ResponseError:  # NOPERM, or a proxy
            return {}
        return found if any(found.values()) else {}

    async def _waited(self) -> dict[str, int]:
        """How many replicas have it, by key."""
        asked = {key: many for key, many in self._replicas.items() if many}
        if not asked:
            return {}
        self._writes += 1
        pipeline: Any = self._redis.pipeline(transaction=False)
        for key, many in asked.items():
            pipeline.execute_command("SET", key, self._writes)
            where = {"target_nodes": self._redis.get_node_from_key(key)} if self._cluster else {}
            pipeline.execute_command("WAIT", many, WITHIN_MS, **where)
        try:
            told = await pipeline.execute()
        except ResponseError:  # NOPERM: then nobody can tell
            self._replicas = {}
            return {}
        return {key: int(many) for key, many in zip(asked, told[1::2], strict=True)}
