"""An endpoint of the admin API, as its feature's table (``feature.py``) lists it.

What an endpoint takes and gives stands in its handler's signature, ``(Call[BODY, QUERY]) -> ANSWER``: the dispatcher
validates by it and OpenAPI is written from it, so that neither can be wrong about the other. Who may call it stands in
``access``, which has no default: nobody can add an endpoint and forget whom it is for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple, get_args, get_type_hints

from aiohttp import web
from pydantic import BaseModel

from gateway.control.access.roles import ANY_SCOPE, Permission, Roles

Handler = Callable[[Any], Awaitable[BaseModel | web.StreamResponse]]


class Endpoint(NamedTuple):
    """``access``: who may. ``stream``: the models of a line taken and of the last line given, as NDJSON."""

    method: str
    path: str
    handler: Handler
    summary: str
    access: Permission
    stream: tuple[type[BaseModel], type[BaseModel]] | None = None
    gives: type[BaseModel] | str | None = None  # where the handler answers by itself: a model, or a media type

    @property
    def open(self) -> bool:
        """Whether it needs no token."""
        return self.access.open

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


def scopes(endpoints: Iterable[Endpoint]) -> dict[str, Roles]:
    """Every scope that a machine's token can have, by name, and the roles that may something of it in person."""
    found: dict[str, Roles] = {}
    for endpoint in endpoints:
        name = endpoint.access.scope
        if name and name != ANY_SCOPE:
            found[name] = found.get(name, frozenset()) | endpoint.access.roles
    return dict(sorted(found.items()))
