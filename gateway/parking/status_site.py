"""What its sender, and nobody else, is told of a message that was held, or is delayed: at an address of its own.

    GET    /tidegate/review/0192….5f3a…             {"status": "held", "message_id": "0192…", "title": "内容待审核", …}
    DELETE /tidegate/review/0192….5f3a…             withdrawn, where nobody has published it yet
    POST   /tidegate/review/0192….5f3a…/withdraw    the same, for a form

The token is a keyed digest of the id (``Seal.token``), so an address that was not told is answered as one that does not
exist, and asking costs nothing but the digest. What became of the message is control's to say (commands
``review.status`` and ``review.withdraw`` on its socket); nothing here remembers it. Of what was refused, or expired,
the code is told by which its sender appeals.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

import orjson
import structlog

from gateway.appeals.appeal_address import NOWHERE, AppealAddress
from gateway.common.channel import ChannelError
from gateway.http.server.problem import Problem, problem_for
from gateway.http.wire.errors import HTTPError
from gateway.sentences.own import NOTICES, OWN

if TYPE_CHECKING:
    from gateway.http.server.exchange import Exchange
    from gateway.parking.seal import Seal

log = structlog.get_logger()

READING: Final = frozenset((b"GET", b"HEAD"))
METHODS: Final = b"GET, HEAD, DELETE, POST"
WITHDRAW: Final = b"/withdraw"
STATES: Final = ("held", "approved", "refused", "expired", "withdrawn", "void", "resend", "delayed", "passed", "failed")
"""What is told; ``review.STATE`` has the sentences."""
APPEALED: Final = frozenset(("refused", "expired", "void"))
"""States against which somebody appeals."""
MOST_ASKED: Final = 64
"""Questions to control at once; one more is told to come back."""
MOST_TRIES: Final = 15
"""How often control is told that a message is withdrawn, where it does not answer."""
UNANSWERED: Final = "review.unanswered"
TOO_LATE: Final = "review.decided"
_RETRY: Final = 2.0
_LINES: Final = b"Cache-Control: no-store\r\nAccess-Control-Allow-Origin: *\r\nX-Content-Type-Options: nosniff\r\n"
_PREFLIGHT: Final = b"%bAccess-Control-Allow-Methods: %b\r\nAccess-Control-Max-Age: 600\r\n" % (_LINES, METHODS)


SUPERSEDES: Final = b"tidegate-supersedes"
"""The header field by which a message takes the place of one of its sender's that waits: its value is the last part of
that one's address."""


def named_by(seal: Seal, value: str) -> str:
    """The message that an address, or its last part, names to whoever was told it; empty for none."""
    message_id, _, token = value.rpartition("/")[2].partition(".")
    return message_id if token and seal.knows(message_id, token) else ""


class Became(NamedTuple):
    """What control says of a message: one of STATES, empty where it does not know it (yet); ``route``: that it was sent
    on; ``ground``: on which it was refused."""

    state: str
    route: str = ""
    ground: str = ""


Ask = Callable[[str, bool], Awaitable[Became]]
"""From a message's id to what became of it, and whether its sender withdraws it. Raises ``ChannelError``."""


class StatusSite:
    """``prefix``: ``review.path``; ``appeals``: where people turn to, by route. Made anew with each generation;
    ``asking`` is shared by all of them."""

    __slots__ = ("_appeals", "_ask", "_asking", "_seal", "prefix")

    def __init__(
        self, prefix: str, seal: Seal, ask: Ask, asking: set[asyncio.Task[None]], appeals: Mapping[str, AppealAddress]
    ) -> None:
        self.prefix = prefix.encode("ascii")
        self._seal = seal
        self._ask = ask
        self._asking = asking
        self._appeals = appeals

    def serve(self, exchange: Exchange) -> None:
        """Answer, once control has. Raises HTTPError."""
        name = exchange.path[len(self.prefix) :]
        withdraws = exchange.method == b"DELETE"
        if name.endswith(WITHDRAW):
            if exchange.method not in (b"POST", b"OPTIONS"):
                raise HTTPError("head.method")
            name, withdraws = name.removesuffix(WITHDRAW), True
        elif not withdraws and exchange.method not in READING and exchange.method != b"OPTIONS":
            raise HTTPError("head.method")
        message_id, _, token = name.decode("latin-1").partition(".")
        if not self._seal.knows(message_id, token):
            raise HTTPError("route.unmatched")
        if exchange.method == b"OPTIONS":  # what a page of the platform's, on another host, asks before it withdraws
            exchange.answer(204, _PREFLIGHT, b"")
            return
        if len(self._asking) >= MOST_ASKED:
            exchange.refuse(problem_for("server.overloaded"))
            return
        task = asyncio.create_task(self._answer(exchange, message_id, withdraws), name="review status")
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    def published(self, fields: Mapping[bytes, bytes]) -> None:
        """A message passed, and is at the platform: the older one in whose place its sender sent it, if any, is
        withdrawn. ``fields`` of its request."""
        if SUPERSEDES not in fields:
            return
        message_id = named_by(self._seal, fields[SUPERSEDES].decode("latin-1"))
        if message_id and len(self._asking) < MOST_ASKED:
            task = asyncio.create_task(self._take_back(message_id), name="review superseded")
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)

    async def _take_back(self, message_id: str) -> None:
        for _ in range(MOST_TRIES):
            with contextlib.suppress(ChannelError):
                if (await self._ask(message_id, True)).state:
                    return
            await asyncio.sleep(_RETRY)
        log.warning("review.not_withdrawn", message=message_id)

    async def _answer(self, exchange: Exchange, message_id: str, withdraws: bool) -> None:
        try:
            became = await self._ask(message_id, withdraws)
        except ChannelError:
            became = None
        if became is None or (withdraws and not became.state):  # it is in the spool still: control has not come to it
            row = OWN[UNANSWERED]
            exchange.refuse(Problem(row.status, UNANSWERED, *row.told(), message_id, retry_after=_RETRY))
            return
        state = became.state
        if state not in STATES:  # it was parked, or there were no token: control has not come to it
            state = STATES[0]
        if withdraws and state != "withdrawn":
            row = OWN[TOO_LATE]
            exchange.refuse(Problem(row.status, TOO_LATE, *row.told(), message_id))
            return
        code = f"review.{state}"
        problem, spoken = exchange.worded(Problem(200, code, *NOTICES[code].told(), message_id, ground=became.ground))
        told = {"status": state, "message_id": message_id, "title": problem.title}
        if problem.detail:
            told["detail"] = problem.detail
        if state in APPEALED:
            told |= self._appeal(became, problem.ground, message_id)
        exchange.answer(200, _LINES + spoken, orjson.dumps(told))

    def _appeal(self, became: Became, ground: str, message_id: str) -> dict[str, str]:
        """On what it was refused, and how one appeals."""
        appeal = self._appeals.get(became.route, NOWHERE)
        address, code = appeal.of(message_id)
        known = {"ground": ground, "appeal": address.replace("{id}", message_id), "appeal_code": code}
        return {name: value for name, value in known.items() if value}
