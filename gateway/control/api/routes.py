"""Every endpoint of the admin API, in one table that a reader can see.

What an endpoint takes and gives stands in its handler's signature, ``(Call[BODY, QUERY]) -> ANSWER``: the dispatcher
validates by it and OpenAPI is written from it, so that neither can be wrong about the other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, get_args, get_type_hints

from aiohttp import web
from pydantic import BaseModel

from gateway.control.accounts import endpoints as accounts
from gateway.control.accounts import imports
from gateway.control.blocks import endpoints as blocks
from gateway.control.lists import endpoints as lists
from gateway.control.node import endpoints as node
from gateway.control.people import endpoints as people
from gateway.control.ports.schemas import AccountLine, Imported, Ready
from gateway.control.rooms import endpoints as rooms
from gateway.control.switches import endpoints as switches
from gateway.control.takedowns import endpoints as takedowns

Handler = Callable[[Any], Awaitable[BaseModel | web.StreamResponse]]


class Endpoint(NamedTuple):
    """``open``: needs no token. ``stream``: the models of a line taken and of the last line given, as NDJSON."""

    method: str
    path: str
    handler: Handler
    summary: str
    open: bool = False
    stream: tuple[type[BaseModel], type[BaseModel]] | None = None
    gives: type[BaseModel] | str | None = None  # where the handler answers by itself: a model, or a media type

    @property
    def body(self) -> type[BaseModel] | None:
        """Model of the JSON body; None where there is none."""
        body: Any = self._call()[0]
        return None if body is type(None) else body

    @property
    def query(self) -> type[BaseModel]:
        """Model of the query parameters."""
        query: type[BaseModel] = self._call()[1]
        return query

    @property
    def answer(self) -> type[BaseModel] | str:
        """Model of the answer, or its media type."""
        return self.gives or get_type_hints(self.handler)["return"]

    @property
    def operation(self) -> str:
        """A name for generated clients: ``accounts_put``."""
        folder, module = self.handler.__module__.split(".")[-2:]
        return f"{folder if module == 'endpoints' else module}_{getattr(self.handler, '__name__', '')}"

    def _call(self) -> tuple[Any, Any]:
        body, query = get_args(get_type_hints(self.handler)["call"])
        return body, query


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", "/v1/accounts:import", imports.accounts, "Set many accounts", stream=(AccountLine, Imported)),
    Endpoint("GET", "/v1/accounts/{sender}", accounts.get, "Read an account"),
    Endpoint("PUT", "/v1/accounts/{sender}", accounts.put, "Set an account"),
    Endpoint("DELETE", "/v1/accounts/{sender}", accounts.delete, "Forget an account"),
    Endpoint("GET", "/v1/blocks", blocks.listed, "List blocks"),
    Endpoint("POST", "/v1/blocks", blocks.create, "Block a sender, registrant, device, address, range or room"),
    Endpoint("DELETE", "/v1/blocks/{id}", blocks.delete, "Lift a block"),
    Endpoint("GET", "/v1/rooms/{room}", rooms.get, "Read a room's status"),
    Endpoint("PUT", "/v1/rooms/{room}", rooms.put, "Open, slow down, mute or close a room"),
    Endpoint("GET", "/v1/lists", lists.listed, "List word lists and their changes"),
    Endpoint("POST", "/v1/lists/{name}/words", lists.add, "Add a line to a list"),
    Endpoint("DELETE", "/v1/lists/{name}/words", lists.remove, "Leave a line out of a list"),
    Endpoint("POST", "/v1/lists/{name}:try", lists.attempt, "Try a text against a list"),
    Endpoint("POST", "/v1/reload", lists.reload, "Compile configuration and lists anew, and swap"),
    Endpoint("GET", "/v1/switches", switches.listed, "List emergency switches"),
    Endpoint("POST", "/v1/switches", switches.freeze, "Freeze a room or a route"),
    Endpoint("DELETE", "/v1/switches/{id}", switches.unfreeze, "Lift an emergency switch"),
    Endpoint("GET", "/v1/urgent-words", switches.urgent, "List urgent words"),
    Endpoint("POST", "/v1/urgent-words", switches.add_urgent, "Refuse a word at once, everywhere"),
    Endpoint("DELETE", "/v1/urgent-words/{id}", switches.remove_urgent, "Lift an urgent word"),
    Endpoint("POST", "/v1/takedowns:preview", takedowns.preview, "What would be taken down, and its copies"),
    Endpoint("GET", "/v1/takedowns", takedowns.listed, "List takedowns"),
    Endpoint("POST", "/v1/takedowns", takedowns.create, "Take a message down"),
    Endpoint("GET", "/v1/takedowns/{id}", takedowns.get, "Read a takedown and its trace"),
    Endpoint("GET", "/v1/copies", takedowns.copies, "List texts that are refused because they were taken down"),
    Endpoint("POST", "/v1/copies", takedowns.refuse_copies, "Refuse a text that was sent before"),
    Endpoint("DELETE", "/v1/copies/{id}", takedowns.lift_copy, "Let a text be sent again"),
    Endpoint("POST", "/v1/removals", takedowns.removed, "Tell of a message that was deleted elsewhere"),
    Endpoint("POST", "/v1/state:rebuild", node.rebuild_state, "Write state's governance data anew"),
    Endpoint("GET", "/v1/acts", people.listed_acts, "List acts"),
    Endpoint("POST", "/v1/acts/{act}:undo", people.undo, "Undo an act"),
    Endpoint("GET", "/v1/people", people.listed, "List people"),
    Endpoint("POST", "/v1/people", people.add, "Add a person"),
    Endpoint("DELETE", "/v1/people/{name}", people.remove, "Remove a person"),
    Endpoint("GET", "/healthz", node.alive, "Is control alive?", open=True),
    Endpoint("GET", "/readyz", node.ready, "Is this node fit for traffic?", open=True, gives=Ready),
    Endpoint("GET", "/metrics", node.metrics, "Metrics for Prometheus", open=True, gives="text/plain"),
)
