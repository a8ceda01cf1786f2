"""One call made: POST, once, within bounds, following nobody elsewhere.

No redirect is followed (it would carry what is signed to wherever it leads), no proxy of the environment is asked, no
cookie is kept, and of an answer no more is read than ``MOST`` bytes.
"""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Final, NamedTuple

import orjson
from aiohttp import ClientError, ClientResponse, ClientSession, ClientSSLError, ClientTimeout, DummyCookieJar
from yarl import URL

from gateway.control.callbacks.call_pacing import retry_after
from gateway.control.callbacks.receivers import CallTarget

MOST: Final = 65_536
TIMEOUT, UNREACHED, TLS, BROKEN = "callback.timeout", "callback.unreached", "callback.tls", "callback.broken"
REDIRECT, STATUS, REFUSED = "callback.redirect", "callback.status", "callback.refused"


class Posted(NamedTuple):
    """``status``: None where there was no answer; ``problem``: a code, empty where it was taken; ``asked``: seconds of
    ``Retry-After``."""

    status: int | None
    problem: str = ""
    asked: float = 0.0

    @property
    def of_receiver(self) -> bool:
        """Whether another call would fare no better."""
        return bool(self.problem) and (self.status is None or self.status >= 500 or self.status == 429)


class CallPoster:
    """Makes calls from the running loop. ``close`` when none is made any more."""

    def __init__(self) -> None:
        self._session: ClientSession | None = None
        self._trusting: dict[Path, ssl.SSLContext] = {}

    async def post(self, target: CallTarget, body: bytes, fields: dict[str, str], now_s: float) -> Posted:
        """Never raises: what went wrong is in the answer."""
        if self._session is None:
            self._session = ClientSession(cookie_jar=DummyCookieJar(), auto_decompress=False)
        try:
            trusted = self._trusted(target.ca)
            async with self._session.post(
                URL(target.url, encoded=True), data=body, headers=fields, allow_redirects=False, ssl=trusted,
                timeout=ClientTimeout(total=target.timeout),
            ) as response:  # fmt: skip
                told = await _beginning(response)
                return _read(response, told if target.answers_json else b"", now_s)
        except TimeoutError:
            return Posted(None, TIMEOUT)
        except (ClientSSLError, ssl.SSLError):
            return Posted(None, TLS)
        except OSError:
            return Posted(None, UNREACHED)
        except (ClientError, ValueError):
            return Posted(None, BROKEN)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _trusted(self, ca: Path | None) -> ssl.SSLContext | bool:
        if ca is None:
            return True
        if ca not in self._trusting:
            if len(self._trusting) >= 64:  # of generations before
                self._trusting.clear()
            self._trusting[ca] = ssl.create_default_context(cafile=str(ca))
        return self._trusting[ca]


async def _beginning(response: ClientResponse) -> bytes:
    try:
        told = await response.content.readexactly(MOST)
    except asyncio.IncompleteReadError as whole:
        return whole.partial
    response.close()  # the rest is nobody's business
    return told


def _read(response: ClientResponse, told: bytes, now_s: float) -> Posted:
    status = response.status
    asked = retry_after(response.headers.get("Retry-After"), now_s)
    if 200 <= status < 300:
        return Posted(status, REFUSED if refused(told) else "")
    return Posted(status, REDIRECT if 300 <= status < 400 else STATUS, asked)


def refused(told: bytes) -> bool:
    """Whether a robot says in the body of a 200 that it took nothing: ``errcode`` (DingTalk, WeCom), ``code`` (Feishu)
    other than 0."""
    try:
        answer = orjson.loads(told) if told else None
    except orjson.JSONDecodeError:
        return False
    return isinstance(answer, dict) and any(answer.get(key, 0) not in (0, None) for key in ("errcode", "code"))
