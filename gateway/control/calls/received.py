"""What a request brings, read with an end and without a fault: whoever sends it may send anything, and slowly."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from gateway.control.acts.refusal import ControlError
from gateway.control.calls import connections

WITHIN: Final = 30.0
"""Seconds for a whole body that is bounded in bytes (``control.max_body``)."""


async def body(request: web.BaseRequest, within: float = WITHIN) -> bytes:
    """All of it. Raises ``ControlError`` where it does not come in time, or is not what its fields say."""
    try:
        async with asyncio.timeout(within):
            read = await request.read()
    except TimeoutError:
        raise ControlError(408, "control.too_slow", f"The request did not come within {within:.0f} seconds.") from None
    except web.RequestPayloadError:
        raise ControlError(400, "control.invalid", "The body is not what its header fields say.") from None
    connections.working(request)
    return read


def field(request: web.BaseRequest, name: str) -> bytes:
    """A header field as it came, which may be no text; empty where there is none."""
    return request.headers.get(name, "").encode("utf-8", "surrogateescape")
