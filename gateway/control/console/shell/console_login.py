"""Logging in: one answer for a wrong name, a wrong password and none, after the same work; then a new session.

The cookie is for this host alone and no script reads it. Where browsers come by TLS it is for TLS alone, which its name
says too (``__Host-``). On loopback without TLS no browser would send such a one back to every address of ours, so it
has neither: what is sent does not leave the machine there, and control takes no other address without a certificate.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Final

import structlog
from aiohttp import web

from gateway.common.addresses import counted
from gateway.common.metrics import METRICS, Counts
from gateway.control.acts.refusal import ControlError
from gateway.control.console.sessions.console_sessions import ConsoleSessions
from gateway.control.console.sessions.login_pace import LoginPace
from gateway.control.people.passwords import Passwords
from gateway.control.workers.totals import Series

log = structlog.get_logger()

MOST_NAME: Final = 64
MOST_PASSWORD: Final = 512


class ConsoleLogin:
    """``prefix``: bits of an IPv6 address that name a customer; ``behind_tls``: whether a proxy before speaks TLS."""

    def __init__(
        self,
        sessions: ConsoleSessions,
        hashes: Passwords,
        pace: LoginPace,
        prefix: Callable[[], int],
        behind_tls: Callable[[], bool],
    ) -> None:
        self.behind_tls = behind_tls
        self._sessions = sessions
        self._hashes = hashes
        self._pace = pace
        self._prefix = prefix
        self._done = Counts(METRICS["tidegate_console_logins_total"])

    async def log_in(self, name: str, password: str, peer: str, before: str) -> str:
        """The token of a new session; that of ``before``, which this browser had, ends. Raises ``ControlError``."""
        name, address = name[:MOST_NAME], counted(peer, self._prefix())
        wait = self._pace.take(name, address)
        if wait > 0:
            self._refuse("waits")
            seconds = ceil(wait)
            raise ControlError(
                429, "console.login_waits", f"Too many tries: the next one is possible in {seconds} seconds.",
                [{"seconds": seconds}],
            )  # fmt: skip
        encoded = await self._sessions.password_of(name)
        right = len(password) <= MOST_PASSWORD and await self._hashes.matches(encoded, password)
        if not right:
            self._refuse("wrong")
            raise wrong()
        token = await self._sessions.open(name, encoded)
        self._pace.right(name, address)
        self._done.add(("done",))
        known = await self._sessions.known(before, quiet=True) if before else None
        if known is not None:
            await self._sessions.end(known.caller)
        return token

    async def proves(self, name: str, password: str, peer: str) -> bool:
        """Whether somebody who is logged in knows their password; guesses count like those of a log-in."""
        address = counted(peer, self._prefix())
        if self._pace.take(name, address) > 0:
            return False
        right = await self._hashes.matches(await self._sessions.password_of(name), password[:MOST_PASSWORD])
        if right:
            self._pace.right(name, address)
        return right

    async def renewed(self, name: str) -> str:
        """A session in the place of those that ended with another password."""
        return await self._sessions.open(name, await self._sessions.password_of(name))

    def give(self, response: web.Response, request: web.Request, token: str) -> None:
        """The cookie; an empty token takes it away."""
        name = cookie(request, behind_tls=self.behind_tls())
        secure = name.startswith("__Host-")
        if token:
            response.set_cookie(name, token, path="/", secure=secure, httponly=True, samesite="Strict")
        else:
            response.del_cookie(name, path="/", secure=secure, httponly=True, samesite="Strict")

    async def series(self) -> dict[str, Series]:
        return {"tidegate_console_logins_total": dict(self._done.values)}

    def _refuse(self, how: str) -> None:
        """Who it was meant to be is nobody's business: the count says that somebody tries."""
        self._done.add((how,))
        log.warning("console.login_refused", how=how)


def cookie(request: web.Request, *, behind_tls: bool) -> str:
    return "__Host-tidegate" if behind_tls or request.secure else "tidegate-console"


def wrong() -> ControlError:
    return ControlError(403, "console.login_refused", "Name or password are not right.")
