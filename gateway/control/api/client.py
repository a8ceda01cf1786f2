"""Calling the admin API of a control that runs on this machine: what commands do."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector, UnixConnector

from filters.model.errors import TidegateError
from gateway.config import Config

TOKEN = "TIDEGATE_TOKEN"  # noqa: S105 - the variable's name


class CallRefused(TidegateError):
    """Control did not do it; the text says why. ``reason``: its stable code, empty where it did not answer."""

    def __init__(self, why: str, reason: str = "") -> None:
        super().__init__(why)
        self.reason = reason


def token(kept: Path, environ: Mapping[str, str] = os.environ) -> str:
    """The caller's token: from the environment (``TIDEGATE_TOKEN``), else from the file ``kept``."""
    told = environ.get(TOKEN, "").strip()
    if told:
        return told
    try:
        return kept.read_text(encoding="ascii").strip()
    except OSError as error:
        raise CallRefused(f"{kept} cannot be read ({error.strerror}): put your token into {TOKEN}") from None


class ControlClient:
    """An asynchronous context. ``within``: seconds for one call."""

    def __init__(self, config: Config, token: str, *, within: float = 60.0) -> None:
        section = config.control
        self._address = section.listen
        scheme = "https" if section.certificate is not None else "http"
        host, connector = (
            ("localhost", UnixConnector(section.listen.removeprefix("unix:")))
            if section.listen.startswith("unix:")
            # The certificate is for the name that people use; this call does not leave the machine.
            else (section.listen.replace("0.0.0.0", "127.0.0.1"), TCPConnector(ssl=False))  # noqa: S104
        )
        self._base = f"{scheme}://{host}"
        self._session = ClientSession(
            connector=connector,
            timeout=ClientTimeout(total=within),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )

    async def __aenter__(self) -> ControlClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The answer. Raises CallRefused."""
        data = orjson.dumps(body) if body is not None else None
        try:
            async with self._session.request(method, self._base + path, data=data) as response:
                told: dict[str, Any] = orjson.loads(await response.read())
        except (ClientError, TimeoutError, OSError, orjson.JSONDecodeError) as error:
            why = f"control does not answer at {self._address} ({type(error).__name__}): does the gateway run?"
            raise CallRefused(why) from None
        if response.status >= 400:
            wrong = "".join(f"; {one.get('where')}: {one.get('problem')}" for one in told.get("errors", ()))
            raise CallRefused(f"control refused: {told.get('detail', response.status)}{wrong}", told.get("reason", ""))
        return told
