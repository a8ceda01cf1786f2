"""Calling the admin API: what commands do. Where control is, who calls, and what it answers or why it did not."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, TCPConnector, UnixConnector
from yarl import URL

from filters.model.errors import TidegateError
from gateway.config.sections.control import Control

TOKEN = "TIDEGATE_TOKEN"  # noqa: S105 - the variable's name
TOKEN_FILE = "TIDEGATE_TOKEN_FILE"  # noqa: S105 - as above
LARGEST = 32 << 20  # bytes of an answer that is no object
LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))


class CallRefused(TidegateError):
    """Control did not do it; the text says why. ``reason``: its stable code, empty where it did not answer."""

    def __init__(self, why: str, reason: str = "") -> None:
        super().__init__(why)
        self.reason = reason


class ControlAddress(NamedTuple):
    """Where control is. ``base``: what paths are put behind; ``socket``: the unix socket, where it is one; ``here``: it
    is of this machine's configuration, so that the certificate need not be for the name that we call it by."""

    base: str
    socket: str = ""
    here: bool = False

    def __str__(self) -> str:
        return f"unix:{self.socket}" if self.socket else self.base

    @property
    def near(self) -> bool:
        """Whether what is sent does not leave the machine."""
        return bool(self.socket) or self.here or (urlsplit(self.base).hostname or "") in LOOPBACK


def address_of(control: Control) -> ControlAddress:
    """Where the control of a configuration listens, as this machine reaches it."""
    scheme = "https" if control.certificate is not None else "http"
    if control.listen.startswith("unix:"):
        return ControlAddress(f"{scheme}://localhost", control.listen.removeprefix("unix:"), here=True)
    host, _, port = control.listen.rpartition(":")
    every = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - every address, so this one too
    return ControlAddress(f"{scheme}://{every.get(host, host)}:{port}", here=True)


def address_named(url: str) -> ControlAddress:
    """Where a person says that control is: ``http://host:port``, ``https://host`` or ``unix:/path``. Raises
    ValueError."""
    if url.startswith("unix:/"):
        return ControlAddress("http://localhost", url.removeprefix("unix:"))
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        fits = False
    if not fits or parts.query or parts.fragment or parts.username is not None:
        raise ValueError("is no address of control: write “https://host:port”, “http://host:port” or “unix:/path”")
    return ControlAddress(url.rstrip("/"))


def token(named: Path | None, kept: Path | None, environ: Mapping[str, str] = os.environ) -> str:
    """The caller's token: from the file that is ``named``, else from TIDEGATE_TOKEN, else from the file that
    TIDEGATE_TOKEN_FILE names, else from the file ``kept``, the first person's. Raises CallRefused."""
    told = environ.get(TOKEN, "").strip()
    if told and named is None:
        if not _fits(told):
            raise CallRefused(f"{TOKEN} holds no token: it is one word of ASCII")
        return told
    path = named or (Path(environ[TOKEN_FILE]) if environ.get(TOKEN_FILE, "").strip() else kept)
    remedy = f"name the file of your token with --token-file or {TOKEN_FILE}, or put the token into {TOKEN}"
    if path is None:
        raise CallRefused(f"nobody said who calls: {remedy}")
    try:
        read = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not ASCII text"
        raise CallRefused(f"{path} cannot be read ({why}): {remedy}") from None
    if not _fits(read):
        raise CallRefused(f"{path} holds no token: {remedy}")
    return read


def _fits(text: str) -> bool:
    """Whether a header can carry it as a token."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


class ControlClient:
    """An asynchronous context. ``token``: empty for what needs none; ``within``: seconds for one call."""

    def __init__(self, address: ControlAddress, token: str, *, within: float = 60.0) -> None:
        self.address = address
        # The certificate is for the name that people use; this call does not leave the machine.
        verified = not address.here
        connector = UnixConnector(address.socket) if address.socket else TCPConnector(ssl=verified)
        self._session = ClientSession(
            connector=connector,
            timeout=ClientTimeout(total=within),
            headers={"Authorization": f"Bearer {token}"} if token else {},
        )

    async def __aenter__(self) -> ControlClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        *,
        answers: tuple[int, ...] = (),
    ) -> dict[str, Any]:
        """The answer, an object. ``answers``: statuses from 400 on that are answers too. Raises CallRefused."""
        data = orjson.dumps(body) if body is not None else None
        headers = {"Content-Type": "application/json"} if data is not None else {}
        try:
            # A redirect would carry the token to wherever it leads.
            async with self._session.request(
                method, self._at(path, query), data=data, headers=headers, allow_redirects=False
            ) as response:
                told = await response.read()
        except (ClientError, TimeoutError, OSError) as error:
            raise self._silent(error) from None
        return self._read(response, told, answers)

    async def text(self, path: str) -> str:
        """What a GET answers, as it is, where that is fewer than ``LARGEST`` bytes. Raises CallRefused."""
        try:
            async with self._session.get(self.address.base + path, allow_redirects=False) as response:
                await response.content.readexactly(LARGEST)
        except asyncio.IncompleteReadError as whole:
            if response.status >= 300:
                self._read(response, whole.partial, ())
            return whole.partial.decode("utf-8", "replace")
        except (ClientError, TimeoutError, OSError) as error:
            raise self._silent(error) from None
        raise CallRefused(f"{self.address} answers more than anybody reads")

    async def stream(
        self, method: str, path: str, data: Any, query: Mapping[str, str]
    ) -> AsyncIterator[dict[str, Any]]:
        """The answer's lines as they come, each an object, for a body that is sent as it is. Raises CallRefused."""
        headers = {"Content-Type": "application/x-ndjson"}
        try:
            async with self._session.request(
                method, self._at(path, query), data=data, headers=headers, allow_redirects=False,
                timeout=ClientTimeout(total=None),
            ) as response:  # fmt: skip
                if response.status >= 300:
                    self._read(response, await response.read(), ())
                async for line in response.content:
                    yield self._object(response, line)
        except (ClientError, TimeoutError, OSError) as error:
            raise self._silent(error) from None

    def _at(self, path: str, query: Mapping[str, str] | None) -> URL:
        """Where a call goes; nothing of a path is taken for dots or decoded: it may hold what people name."""
        return URL(self.address.base + path, encoded=True).with_query(query)

    def _read(self, response: ClientResponse, told: bytes, answers: tuple[int, ...]) -> dict[str, Any]:
        if response.status in answers or response.status < 300:
            return self._object(response, told)
        problem = self._object(response, told)
        raise CallRefused(f"control refused: {_told(problem, response.status)}", str(problem.get("reason", "")))

    def _object(self, response: ClientResponse, told: bytes) -> dict[str, Any]:
        try:
            read = orjson.loads(told)
        except orjson.JSONDecodeError:
            read = None
        if not isinstance(read, dict):
            why = f"what answers at {self.address} is not control (status {response.status}): correct --url"
            raise CallRefused(why)
        return read

    def _silent(self, error: BaseException) -> CallRefused:
        why = f"control does not answer at {self.address} ({type(error).__name__}): does the gateway run?"
        return CallRefused(why)


def _told(problem: Mapping[str, Any], status: int) -> str:
    """A problem (RFC 9457) in one line: what it is, where, and its code."""
    errors = problem.get("errors")
    wrong = [one for one in errors if isinstance(one, dict) and one] if isinstance(errors, list) else []
    where = "; ".join(problem_at(one) for one in wrong)
    reason = f" ({problem['reason']})" if problem.get("reason") else ""
    what = str(problem.get("detail") or problem.get("title") or f"status {status}")
    what = what.removesuffix("; see errors.").removesuffix(".")
    line = f"{what}{f': {where}' if where else ''}{reason}"
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line)


def problem_at(error: Mapping[str, Any]) -> str:
    """One field and what is wrong with it, without the words of whatever validated it."""
    part, _, field = str(error.get("where") or "").partition(".")
    problem = str(error.get("problem", "")).removeprefix("Value error, ")
    for begin in ("Input should ", "String should "):
        problem = f"should {problem.removeprefix(begin)}" if problem.startswith(begin) else problem
    where = field if part in ("body", "path", "query") else str(error.get("where") or "")
    return f"{where}: {problem}" if where else problem
