"""Asking another node's control how its journal goes on, over HTTP and TLS, with the token of a machine."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, Final

import aiohttp
import orjson

from filters.model.errors import TidegateError
from gateway.journal.write.encoding import MAX_LINE
from gateway.replicas.copying.fetched import MEDIA_TYPE
from gateway.replicas.copying.settings import PeerSettings

PATH: Final = "/v1/journal:fetch"
WITHIN: Final = 30.0  # seconds for an answer, beside the time that was asked to be waited
CONNECT_WITHIN: Final = 5.0
OVERHEAD: Final = 1 << 20  # bytes of an answer beside those of segments


class NoAnswer(TidegateError):
    """The peer gave none. ``cause``: away, refused, same_node, tls, answer."""

    def __init__(self, cause: str, detail: str = "") -> None:
        super().__init__(f"{cause}: {detail}" if detail else cause)
        self.cause = cause
        self.detail = detail


class PeerClient:
    """Of one peer; ``close`` hangs up. Raises OSError, ssl.SSLError where the certificates to trust cannot be read."""

    def __init__(self, peer: PeerSettings) -> None:
        self._peer = peer
        self._tls = ssl.create_default_context(cafile=peer.ca or None) if peer.url.startswith("https:") else None
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self, asked: dict[str, Any]) -> bytes:
        """The answer's body. Raises NoAnswer."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=WITHIN + asked["wait"], connect=CONNECT_WITHIN),
                auto_decompress=False,
            )
        headers = {
            "Authorization": f"Bearer {self._peer.token}", "Content-Type": "application/json", "Accept": MEDIA_TYPE,
        }  # fmt: skip
        try:
            async with self._session.post(
                self._peer.url.rstrip("/") + PATH, data=orjson.dumps(asked), headers=headers, ssl=self._tls or True,
                server_hostname=self._peer.server_name or None, allow_redirects=False,
            ) as answer:  # fmt: skip
                if answer.status == 200 and answer.content_type == MEDIA_TYPE:
                    return await _body(answer, asked["most"] + MAX_LINE + OVERHEAD)
                raise _problem(answer.status, await _reason(answer))
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientSSLError, ssl.SSLError) as error:
            raise NoAnswer("tls", type(error).__name__) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NoAnswer("away", type(error).__name__) from None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            await asyncio.sleep(0)  # transports end with the loop's next turn


async def _body(answer: aiohttp.ClientResponse, most: int) -> bytes:
    parts: list[bytes] = []
    async for part in answer.content.iter_any():
        most -= len(part)
        if most < 0:
            raise NoAnswer("answer", "more than was asked for")
        parts.append(part)
    return b"".join(parts)


async def _reason(answer: aiohttp.ClientResponse) -> str:
    try:
        told = orjson.loads(await answer.content.read(65536))
        return str(told.get("reason", ""))
    except (orjson.JSONDecodeError, AttributeError):
        return ""


def _problem(status: int, reason: str) -> NoAnswer:
    told = reason if reason.replace(".", "").replace("_", "").isalnum() and len(reason) < 64 else ""
    if reason == "control.same_node":
        return NoAnswer("same_node", told)
    if status in (401, 403):
        return NoAnswer("refused", told)
    return NoAnswer("away" if status >= 500 or status == 429 else "answer", told or str(status))
