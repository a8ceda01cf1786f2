"""Releases, as control knows them: asked of the platform, told to the journal; and takedowns of what was held."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from gateway.config import Config
from gateway.control.adapters.journal import append
from gateway.control.adapters.platform import PlatformSide
from gateway.control.calls.feature import Feature, Surroundings
from gateway.control.holding.seals import seals
from gateway.control.releasing.journalling import Telling
from gateway.control.releasing.publishing import PlatformPublisher
from gateway.control.releasing.reconciling import Reconciling
from gateway.control.releasing.releases import Releases
from gateway.control.releasing.wanted_gone import HeldTakedowns
from gateway.journal.read import lookup


def opened(surroundings: Surroundings) -> Sequence[object]:
    """Asking the platform for what was approved."""
    ledger, writer = surroundings.ledger, surroundings.writer
    journal = surroundings.folders.journal(surroundings.config)

    def config() -> Config:
        return surroundings.current().config

    async def holds(message_id: str) -> bool:
        return await asyncio.to_thread(lookup.find, journal, message_id) is not None

    platform = PlatformSide(config, surroundings.loop)
    surroundings.closing.callback(platform.close)
    record = partial(append, writer)
    releases = Releases(
        ledger, PlatformPublisher(platform), Telling(ledger.database, record), seals(config), config,
        ids=surroundings.ids, record=record, holds=holds,
    )  # fmt: skip
    return releases, HeldTakedowns(), Reconciling(ledger.database, writer.folder)


RELEASING = Feature(endpoints=(), opened=opened)
