"""Takedowns, their copies and deletions elsewhere, as control knows them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from gateway.appeals.codes import Codes
from gateway.config import Config
from gateway.control.access.roles import EVERYBODY, MODERATE, SEE_SENDERS, Permission
from gateway.control.acts.governance import Table
from gateway.control.adapters.journal import append
from gateway.control.adapters.platform import PlatformSide
from gateway.control.calls.endpoint import Endpoint
from gateway.control.calls.feature import Feature, Surroundings
from gateway.control.takedowns import endpoints
from gateway.control.takedowns.messages import JournalMessages
from gateway.control.takedowns.platform_deletions import PlatformDeletions
from gateway.control.takedowns.rows import Copy, Deletion, Takedown, TakedownEvent
from gateway.control.takedowns.sightings import Sightings
from gateway.control.takedowns.snapshot import copies, unwanted
from gateway.control.takedowns.takedowns import Takedowns, prune, redone
from gateway.generation import conversion


def opened(surroundings: Surroundings) -> Sequence[object]:
    """Asking the platform until it has deleted, and following the journal for what the platform calls our messages."""
    folders, config, writer = surroundings.folders, surroundings.config, surroundings.writer
    journal = folders.journal(config)
    sightings = Sightings(
        journal, folders.upstream_ids(config), lambda: named_by_platform(surroundings.current().config),
        partial(append, writer),
    )  # fmt: skip

    def codes() -> Codes | None:
        return conversion.appeal_codes_of(surroundings.current().config, folders.salt)

    platform = PlatformSide(lambda: surroundings.current().config, surroundings.loop)
    surroundings.closing.callback(platform.close)
    messages = JournalMessages(journal, writer, sightings)
    ledger = surroundings.ledger
    takedowns = Takedowns(ledger.database, messages, PlatformDeletions(platform, codes), leads=ledger.leads)
    ledger.follow(Takedown, takedowns.wake)  # of whatever node's act
    return takedowns, sightings


def named_by_platform(config: Config) -> frozenset[str]:
    """Judged routes whose messages somebody may ask for by the platform's ids."""
    deleted = {route.removal.of for route in config.routes if route.removal is not None}
    return frozenset(
        route.name for route in config.routes if route.judged and (route.takedown is not None or route.name in deleted)
    )


READ, WRITE = Permission(EVERYBODY, "takedowns:read"), Permission(MODERATE, "takedowns:write")
SEARCH, TELL = Permission(SEE_SENDERS, "takedowns:read"), Permission(MODERATE, "removals:write")

TAKEDOWNS = Feature(
    endpoints=(
        Endpoint(
            "POST", "/v1/takedowns:preview", endpoints.preview, "What would be taken down, and its copies", SEARCH
        ),
        Endpoint("GET", "/v1/takedowns", endpoints.listed, "List takedowns", READ),
        Endpoint("POST", "/v1/takedowns", endpoints.create, "Take a message down", WRITE),
        Endpoint("GET", "/v1/takedowns/{id}", endpoints.get, "Read a takedown and its trace", READ),
        Endpoint("GET", "/v1/copies", endpoints.copies, "List texts that are refused as they were taken down", READ),
        Endpoint("POST", "/v1/copies", endpoints.refuse_copies, "Refuse a text that was sent before", WRITE),
        Endpoint("DELETE", "/v1/copies/{id}", endpoints.lift_copy, "Let a text be sent again", WRITE),
        Endpoint("POST", "/v1/removals", endpoints.removed, "Tell of a message that was deleted elsewhere", TELL),
    ),
    tables=(
        Table(Takedown, MODERATE, snapshot=unwanted, undo="lasting", prune=prune, redone=redone),
        Table(Copy, MODERATE, snapshot=copies, expired_by="copy.expire"),
    ),
    rows=(Deletion, TakedownEvent),
    opened=opened,
)
