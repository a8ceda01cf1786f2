"""HTTP requests of the projector: probes and purges. Few, slow, and none of them in a message's way."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import NamedTuple

import aiohttp

from gateway.http.wire.address import ServerAddress

MAX_PAGE = 4 * 1024 * 1024  # bytes of a page that are looked at


class Fetched(NamedTuple):
    """An answer; ``body`` up to MAX_PAGE bytes."""

    status: int
    content_type: str
    body: bytes


class PlatformClient:
    """One session for all requests; follows no redirects, takes no cookies."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> PlatformClient:
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(), headers={"User-Agent": "tidegate-mirror"}
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._session is not None
        await self._session.close()

    def post(self, address: str, fields: dict[str, str], within: float) -> asyncio.Task[int]:
        """Send an empty POST; the answer's status. Raises OSError or TimeoutError."""
        return asyncio.ensure_future(self._post(address, fields, within))

    async def _post(self, address: str, fields: dict[str, str], within: float) -> int:
        assert self._session is not None
        timeout = aiohttp.ClientTimeout(total=within)
        try:
            async with self._session.post(
                address, headers=fields, data=b"", timeout=timeout, allow_redirects=False
            ) as got:
                return got.status
        except aiohttp.ClientError as error:
            raise OSError(type(error).__name__) from None

    async def get(self, server: ServerAddress, path: str, host: str, within: float) -> Fetched:
        """Fetch a page from one server. ``host``: the Host field, the server's own if empty. Raises OSError or
        TimeoutError."""
        scheme = "https" if server.tls else "http"
        fields = {"Host": host} if host else {}
        fields["Accept"] = "text/html"
        try:
            if server.path:
                connector = aiohttp.UnixConnector(server.path)
                async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
                    return await _fetched(session, f"http://localhost{path}", fields, within)
            assert self._session is not None
            return await _fetched(self._session, f"{scheme}://{server.authority}{path}", fields, within)
        except aiohttp.ClientError as error:
            raise OSError(type(error).__name__) from None


async def _fetched(session: aiohttp.ClientSession, address: str, fields: dict[str, str], within: float) -> Fetched:
    timeout = aiohttp.ClientTimeout(total=within)
    async with session.get(address, headers=fields, timeout=timeout, allow_redirects=False) as got:
        body = bytearray()
        async for chunk in got.content.iter_any():
            body += chunk
            if len(body) >= MAX_PAGE:
                break
        return Fetched(got.status, got.content_type, bytes(body[:MAX_PAGE]))
