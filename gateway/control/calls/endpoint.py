"""An endpoint of the admin API, as its feature's table (``feature.py``) lists it.

What an endpoint takes and gives stands in its handler's signature, ``(Call[BODY, QUERY]) -> ANSWER``: the dispatcher
validates by it and OpenAPI is written from it, so that neither can be wrong about the other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, get_args, get_type_hints

from aiohttp import web
from pydantic import BaseModel

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
