"""Before any socket opens: is there a place for this node, is state its own, and does its server keep what it is given?

A state server that does not answer is no reason not to start, nor is a database that is a server's: control looks
again when they do.
"""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import structlog
from redis.exceptions import RedisError

from gateway.common.folders import Folders, known_id, known_obstacle
from gateway.config import Config
from gateway.config.sections import policies as policy_sections
from gateway.node.folder_number import OtherNumber, folder_id
from gateway.state.cold import eviction
from gateway.state.cold.eviction import EvictionRefused, lasting
from gateway.state.cold.owner import NotOurs, owner
from gateway.state.connecting import cold
from gateway.state.model.keys import Keys

log = structlog.get_logger()

WITHIN = 5.0  # seconds for all of it


async def admit(config: Config, folders: Folders) -> None:
    """Raises ``OtherNumber`` where the folder or its number is another node's, ``NotOurs`` where state belongs to
    another control database, ``EvictionRefused`` where its server may evict what must stay."""
    folder_id(folders.identity, config.server.node)
    place = folders.database(config)
    obstacle = known_obstacle(folders.database_id, place) if not isinstance(place, Path) else ""
    if obstacle:
        raise OtherNumber(obstacle)
    try:
        async with asyncio.timeout(WITHIN):
            client = await cold(config.state, folders.state)
            try:
                found = await owner(client, Keys(config.state.prefix))
                told = await eviction.told(client, cluster=config.state.topology == "cluster")
            finally:
                await client.aclose()
    except (OSError, RedisError) as error:  # TimeoutError is an OSError
        log.warning("state.unasked", kind=type(error).__name__)
        return
    if found is not None:
        if isinstance(place, Path):
            ours: str | None = await asyncio.to_thread(database_id, place)
        else:
            ours = known_id(folders.database_id, place)
        if ours is None:
            log.warning("state.unowned", database=str(place))
        elif found.id != ours:
            raise NotOurs(found, ours)
    problem = told.problem(lasting(policy.asks for policy in policy_sections.build(config).values()))
    if problem:
        raise EvictionRefused(problem)


def database_id(path: Path) -> str:
    """The id of the control database at ``path``; empty where there is none, or none with an id yet.

    Read without what control reads it with: the supervisor starts and forks, and stays small.
    """
    if not path.exists():
        return ""
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1.0)
    except sqlite3.Error:
        return ""
    try:
        row = connection.execute("SELECT id FROM origin").fetchone()
    except sqlite3.Error:  # an earlier version's, which has no such table
        return ""
    finally:
        connection.close()
    return str(row[0]) if row is not None else ""
