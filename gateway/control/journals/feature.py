"""This node's journal, as control gives it to other nodes."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.control.access.roles import ADMINISTER, Permission
from gateway.control.calls.endpoint import Endpoint
from gateway.control.calls.feature import Feature, Surroundings
from gateway.control.journals import endpoints
from gateway.control.journals.journal_readers import JournalReaders
from gateway.replicas.copying.fetched import MEDIA_TYPE
from gateway.replicas.copying.offering import Offering


def opened(surroundings: Surroundings) -> Sequence[object]:
    """Reading what this node wrote."""
    config = surroundings.config
    return (JournalReaders(Offering(surroundings.folders.journal(config), config.server.node)),)


JOURNALS = Feature(
    endpoints=(
        Endpoint(
            "POST", "/v1/journal:fetch", endpoints.fetch, "How this node's journal goes on, for another node",
            Permission(ADMINISTER, "journal:read", machine=True), gives=MEDIA_TYPE,
        ),
    ),
    opened=opened,
)  # fmt: skip
