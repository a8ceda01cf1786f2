"""What its sender, and nobody else, is told of a message that was held, or is delayed: at an address of its own.

    GET /tidegate/review/0192….5f3a…  →  {"status": "held", "message_id": "0192…", "title": "内容待审核", …}

The token is a keyed digest of the id (``Seal.token``), so an address that was not told is answered as one that does not
exist, and asking costs nothing but the digest. What became of the message is control's to say (command
``review.status`` on its socket, one of STATES); nothing here remembers it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

import orjson

from gateway.common.channel import ChannelError
from gateway.http.server.problem import Problem, problem_for
from gateway.http.wire.errors import HTTPError
from gateway.sentences.own import NOTICES, OWN

if TYPE_CHECKING:
    from gateway.http.server.exchange import Exchange
    from gateway.parking.seal import Seal

READING: Final = frozenset((b"GET", b"HEAD"))
STATES: Final = ("held", "approved", "refused", "expired", "withdrawn", "void", "resend", "delayed", "passed", "failed")
"""What is told; ``review.STATE`` has the sentences."""
MOST_ASKED: Final = 64
"""Questions to control at once; one more is told to come back."""
UNANSWERED: Final = "review.unanswered"
_RETRY: Final = 2.0
_LINES: Final = b"Cache-Control: no-store\r\nAccess-Control-Allow-Origin: *\r\nX-Content-Type-Options: nosniff\r\n"

Ask = Callable[[str], Awaitable[str]]
"""From a message's id to its state; empty where control does not know it (yet). Raises ``ChannelError``."""


class StatusSite:
    """``prefix``: ``review.path``. Made anew with each generation; ``asking`` is shared by all of them."""

    __slots__ = ("_ask", "_asking", "_seal", "prefix")

    def __init__(self, prefix: str, seal: Seal, ask: Ask, asking: set[asyncio.Task[None]]) -> None:
        self.prefix = prefix.encode("ascii")
        self._seal = seal
        self._ask = ask
        self._asking = asking

    def serve(self, exchange: Exchange) -> None:
        """Answer, once control has. Raises HTTPError."""
        if exchange.method not in READING:
            raise HTTPError("head.method")
        message_id, _, token = exchange.path[len(self.prefix) :].decode("latin-1").partition(".")
        if not self._seal.knows(message_id, token):
            raise HTTPError("route.unmatched")
        if len(self._asking) >= MOST_ASKED:
            exchange.refuse(problem_for("server.overloaded"))
            return
        task = asyncio.create_task(self._answer(exchange, message_id), name="review status")
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _answer(self, exchange: Exchange, message_id: str) -> None:
        try:
            state = await self._ask(message_id)
        except ChannelError:
            row = OWN[UNANSWERED]
            exchange.refuse(Problem(row.status, UNANSWERED, *row.told(), message_id, retry_after=_RETRY))
            return
        if state not in STATES:  # it was parked, or there were no token: control has not come to it
            state = STATES[0]
        code = f"review.{state}"
        problem, spoken = exchange.worded(Problem(200, code, *NOTICES[code].told(), message_id))
        told = {"status": state, "message_id": message_id, "title": problem.title}
        if problem.detail:
            told["detail"] = problem.detail
        exchange.answer(200, _LINES + spoken, orjson.dumps(told))
