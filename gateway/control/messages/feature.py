"""Messages, as control knows them."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.appeals.codes import Codes
from gateway.control.access.roles import SEE_SENDERS, Permission
from gateway.control.calls.endpoint import Endpoint
from gateway.control.calls.feature import Feature, Surroundings
from gateway.control.messages import endpoints
from gateway.control.messages.index_client import IndexClient
from gateway.generation import conversion


def opened(surroundings: Surroundings) -> Sequence[object]:
    """Asks the index, which is a process of its own."""
    folders = surroundings.folders

    def query_time() -> float | None:
        config = surroundings.current().config
        return config.index.query_time if config.index is not None else None

    def codes() -> Codes | None:
        config = surroundings.current().config
        return conversion.appeal_codes(config.appeals, conversion.salt(config.server, folders.salt))

    return (IndexClient(folders.journal(surroundings.config), folders.index_socket, query_time, codes),)


READ = Permission(SEE_SENDERS, "messages:read")

MESSAGES = Feature(
    endpoints=(
        Endpoint("POST", "/v1/messages/search", endpoints.search, "Search for messages", READ),
        Endpoint("GET", "/v1/messages/{id}", endpoints.get, "Read a message and what became of it", READ),
    ),
    opened=opened,
)
