"""A feature: everything that one folder adds to control. ``gateway.control.features`` is the table of all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple, Protocol, runtime_checkable

from sqlalchemy.orm import Session

from gateway.common.channel import Handler
from gateway.common.folders import Folders
from gateway.config import Config
from gateway.control.acts.governance import Table
from gateway.control.acts.ledger import Ledger
from gateway.control.acts.rows import Model
from gateway.control.calls.endpoint import Endpoint
from gateway.control.workers.totals import Series
from gateway.generation.generation import Generation
from gateway.journal.write.ids import Ids
from gateway.journal.write.writer import Writer


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a feature builds its services from. ``current`` gives the generation in force, ``config`` what control was
    started with; ``closing`` is left when control ends, after every service was stopped. ``trusted_ns``: the time
    of day for what goes for good, which no clock can lead; 0 where it is not known yet."""

    folders: Folders
    config: Config
    current: Callable[[], Generation]
    ledger: Ledger
    writer: Writer
    ids: Ids
    loop: asyncio.AbstractEventLoop
    closing: AsyncExitStack
    trusted_ns: Callable[[], int]


@runtime_checkable
class Running(Protocol):
    """A service with work of its own: started when all are made, stopped in the opposite order."""

    def start(self) -> None:
        """Begin, in the running loop."""

    async def stop(self) -> None:
        """End, and wait until it has ended."""


@runtime_checkable
class Beginning(Protocol):
    """A service that needs the database before anything is answered."""

    async def begin(self) -> None:
        """Once the database is there, and again whenever it was away."""


@runtime_checkable
class Measured(Protocol):
    """A service with metrics of its own."""

    async def series(self) -> dict[str, Series]:
        """Series by the metric's name."""


@runtime_checkable
class Commanded(Protocol):
    """A service that other processes of the node ask over control's socket."""

    def commands(self) -> Mapping[str, Handler]:
        """What is done, by the command's name."""


def nothing(_surroundings: Surroundings) -> Sequence[object]:
    """No service: database and ledger are enough."""
    return ()


class Feature(NamedTuple):
    """``tables``: rows that acts change; ``rows``: those that tasks move on by themselves; ``opened``: makes the
    feature's services, which its handlers find by their class; ``ended``: what removes, in one transaction, some of
    ``rows`` that ended before a time (µs since the epoch) and tells how many, by the table's name."""

    endpoints: tuple[Endpoint, ...]
    tables: tuple[Table, ...] = ()
    rows: tuple[type[Model], ...] = ()
    opened: Callable[[Surroundings], Sequence[object]] = nothing
    ended: Mapping[str, Callable[[Session, int], int]] = MappingProxyType({})
