"""A route as the hot path wants it: everything that does not change between two messages, made once a generation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from filters.policy import Policy
from filters.reading.keywords import Scanner
from filters.reading.window import Consecutive
from gateway.appeals.appeal_address import AppealAddress
from gateway.common.metrics import AnswerCounts, Count, Histogram
from gateway.config.sections.routes import Route as RouteSettings
from gateway.http.server.cors import Cors
from gateway.http.server.shapes import AnswerShapes
from gateway.http.upstream.upstream import Upstream
from gateway.http.wire.peers import TrustedProxies
from gateway.journal.write.record import Basis
from gateway.judging.relayed_deletion import Deletions
from gateway.senders.whoami import Whoami
from gateway.surfaces.surface import Surface
from gateway.websocket.habits import Habits
from gateway.websocket.origins import Origins


@dataclass(frozen=True, slots=True)
class SocketSide:
    """What makes a route a WebSocket route: how its sockets live, and whose pages may open one. ``plain``: a request
    that asks for no socket is relayed, unread."""

    habits: Habits
    origins: Origins
    plain: bool = True


@dataclass(frozen=True, slots=True)
class Relayed:
    """A route that is relayed untouched. ``name`` is empty for what no route matches. ``answers`` counts what came of
    its requests."""

    name: str
    upstream: Upstream
    socket: SocketSide | None = None
    answers: AnswerCounts | None = None


@dataclass(frozen=True, slots=True)
class Preflight:
    """The answer to a CORS preflight for a judged route; the platform is not asked."""

    cors: Cors


@dataclass(frozen=True, slots=True)
class Route:
    """A judged route. ``passed`` counts plain passes.

    ``id_header``: the header in which our id goes up (``id_to``), empty for none; ``id_header_drop`` keeps a client's
    own header of that name from going along. ``fresh``: asked before each message of a route that needs the mirror to
    keep up. ``consecutive``: the lists that read several messages of a sender as one text; ``crowd``: those that read
    everybody's in the room. ``kinds``: of a route with several kinds of message, how each is judged
    (``Messages.kind``). ``socket``: of a WebSocket route. ``answers``: as with ``Relayed``, of what is not
    judged here. ``whoami``: where the platform is asked who sends. ``delay``: seconds that what passes waits.
    """

    name: str
    settings: RouteSettings
    surface: Surface
    policy: Policy
    scanner: Scanner
    basis: Basis
    upstream: Upstream
    upstream_seconds: Histogram
    trusted: TrustedProxies
    appeal: AppealAddress
    cors: Cors | None
    shapes: AnswerShapes | None
    passed: Count
    mirrored: str = ""  # mirror.path, where the messages have a static version
    id_header: bytes = b""
    id_header_drop: frozenset[bytes] = frozenset()
    fresh: Callable[[], bool] | None = None
    consecutive: Consecutive | None = None
    crowd: Consecutive | None = None
    socket: SocketSide | None = None
    answers: AnswerCounts | None = None
    kinds: tuple[Route, ...] = ()
    whoami: Whoami | None = None
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Overridden:
    """POST at the address of judged routes that have it stand for their ``methods``: ``by_header``, or by a form's
    ``_method``. ``name`` and ``cors``: of the first of them. ``max_body``: the most that one of them takes.
    ``answers``: None, what is judged counts with its route."""

    name: str
    methods: frozenset[bytes]
    by_header: bool
    max_body: int
    cors: Cors | None
    answers: AnswerCounts | None = None


Target = Route | Relayed | Deletions | Overridden | Preflight
