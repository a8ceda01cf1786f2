"""The gate on HTTP: what becomes of each request, and of each message that one carried.

``Gate`` is what the server asks (``http/server/gate.py``); ``Comment`` carries one message through the pipeline and
acts on its verdict. Reading the configuration ends here: everything below is a finished ``Route``.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Final

from gateway.carriers import overridden
from gateway.carriers.arrival import SenderAsked, arrived
from gateway.carriers.comment_passage import INFLATED, NONE, UNRECORDED, Comment, Comments, Sampled, Traced
from gateway.carriers.handshakes import accept
from gateway.common.addresses import counted
from gateway.http.server.problem import problem_for
from gateway.http.server.queueing import OVERLOADED
from gateway.http.server.router import READING, Found, plain_host
from gateway.http.wire import override
from gateway.http.wire.errors import HTTPError
from gateway.judging import answers
from gateway.judging.echo import Echo
from gateway.judging.relayed_deletion import Deletions
from gateway.judging.route import Overridden, Preflight, Relayed, Route, Target
from gateway.surfaces.input.decoded import Malformed, Messages, SeveralMessages, Unasked
from gateway.surfaces.input.request import Arrived
from gateway.websocket.handshake import is_plain

if TYPE_CHECKING:
    from gateway.appeals.appeals_relay import AppealsRelay
    from gateway.carriers.sockets import Sockets
    from gateway.common.metrics import Counts
    from gateway.http.server.exchange import Exchange
    from gateway.http.server.router import Router
    from gateway.http.server.shapes import AnswerShapes
    from gateway.http.upstream.failure import UpstreamError
    from gateway.judging.pipeline import Pipeline
    from gateway.judging.relayed_deletion import RelayedDeletion
    from gateway.judging.tracer import Tracer
    from gateway.mirror.serving.site import MirrorSite
    from gateway.parking.status_site import StatusSite
    from gateway.senders.directory import RelayedLogOut, SenderDirectory
    from gateway.surfaces.input.request import Told

_UNDERSCORE: Final = 0x5F  # bytes within bytes are looked for as a number first, which raises: 1,800 instructions
_PERCENT: Final = 0x25

GUARDED: Final = (Route, Deletions, Overridden)
UNEXPECTED: Final = "body.unexpected"
_OVERLOADED: Final = problem_for(OVERLOADED)


class Gate:
    """Decides for each request: judge, relay, answer. ``router`` is swapped by a reload, as one reference (law 9).

    ``languages``: of the routes that say in which one their clients are told, by name. ``max_queueing``: seconds, 0 for
    no bound. ``senders``: who hears of log-outs. ``only_reading``: what no route names goes on only where it reads.
    ``appeals``: where appellants are passed on to.
    ``traces``: None, or records name the trace of each request, and whether it gets an X-Request-Id as well.
    """

    def __init__(
        self, pipeline: Pipeline, refused: Counts, router: Router[Target], unmatched: Relayed | None, sockets: Sockets
    ) -> None:
        self.pipeline = pipeline
        self.sockets = sockets
        self.router = router
        self.unmatched = unmatched
        self.unmatched_hosts: dict[bytes, Relayed] = {}
        self.only_reading = False
        self.mirror: MirrorSite | None = None
        self.appeals: AppealsRelay | None = None
        self.review: StatusSite | None = None
        self.languages: Mapping[str, str] = {}
        self.max_queueing = 0.0
        self.traces: bool | None = None
        self.tracer: Tracer | None = None
        self.senders: SenderDirectory | None = None
        self._refused = refused

    def admit_request(self, exchange: Exchange) -> None:
        """Find the route: judged requests are collected, the others stream through."""
        if self.tracer is not None:
            self.tracer.begin(exchange)
        head = exchange.head
        found: Found[Target] = self.router.find(head.method, head.host, head.target)
        route = found.route
        exchange.path = found.path
        exchange.query = found.query
        if isinstance(route, Route):
            query = found.query
            if query and (_UNDERSCORE in query or _PERCENT in query):
                self._check_method(exchange, found)
            exchange.route = found
            exchange.cors = route.cors
            if route.shapes is not None:
                exchange.shapes = _shapes(exchange, found, route.shapes)
            if route.socket is not None:
                if route.socket.plain and is_plain(head):
                    if head.length:
                        raise HTTPError(UNEXPECTED)
                    self._check_overrides(exchange)
                    self._relay(exchange, route)
                else:
                    accept(self.sockets, exchange, found, route)
            elif not self.pipeline.journal.available:
                self.count_refused(route.name, UNRECORDED)
                exchange.refuse(answers.unrecorded(""))
            elif route.upstream.waiting and route.upstream.stands(self.max_queueing):
                self.shed(exchange)
            else:
                exchange.collect(route.settings.max_body)
        elif isinstance(route, Preflight):
            self._preflight(exchange, route)
        elif isinstance(route, Overridden):
            if self.pipeline.journal.available:
                overridden.begin(exchange, found, route)
            else:
                self.count_refused(route.name, UNRECORDED)
                exchange.refuse(answers.unrecorded(""))
        else:
            mirror = self.mirror
            if route is None and mirror is not None and found.path.startswith(mirror.prefix):
                mirror.serve(exchange)
                return
            if route is None and self.appeals is not None and self.appeals.takes(found.path):
                exchange.relay(self.appeals.upstream)
                return
            review = self.review
            if route is None and review is not None and found.path.startswith(review.prefix):
                review.serve(exchange)
                return
            relayed = route or self.unmatched
            if route is None and self.unmatched_hosts:
                relayed = self.unmatched_hosts.get(plain_host(head.host), relayed)
            if relayed is None:
                raise HTTPError("route.unmatched")
            if route is None and self.only_reading:
                self._check_only_reading(exchange)
            if head.overrides or head.underscored or exchange.query:
                self._check_overrides(exchange)
            if head.length and head.method in READING and (route is None or found.depth):
                self._check_reading(exchange)
            if isinstance(relayed, Deletions):
                self.delete(exchange, found)
            elif self.router.rewritable and head.method == b"POST" and head.length and self._renamed(exchange, relayed):
                return
            elif relayed.socket is not None and not (relayed.socket.plain and is_plain(head)):
                accept(self.sockets, exchange, found, relayed)
            else:
                self._relay(exchange, relayed)

    def _relay(
        self,
        exchange: Exchange,
        relayed: Relayed | Route,
        body: bytes | None = None,
        screen: override.Screen | None = None,
    ) -> None:
        """Send a request on that nobody judges; a log-out is watched, for those whom it concerns."""
        senders = self.senders
        watched = senders is not None and senders.watched(exchange, relayed.answers)
        exchange.relay(
            relayed.upstream, watched=watched, route=relayed.name, screen=screen, body=body, answers=relayed.answers
        )

    def shed(self, exchange: Exchange) -> None:
        """See ``RequestHandler``. In the shape that its route's clients know."""
        head = exchange.head
        name = ""
        try:
            found: Found[Target] = self.router.find(head.method, head.host, head.target)
            if isinstance(found.route, Route):
                exchange.route = found
                exchange.path = found.path
                exchange.cors = found.route.cors
                if found.route.shapes is not None:
                    exchange.shapes = _shapes(exchange, found, found.route.shapes)
                name = found.route.name
        except HTTPError:  # it would have been refused anyway
            pass
        self.count_refused(name, OVERLOADED)
        exchange.refuse(_OVERLOADED)

    def language(self, exchange: Exchange) -> str:
        """See ``RequestHandler``. Only a judged request has its route at hand."""
        if not self.languages:
            return ""
        found: Found[Target] | None = exchange.route
        if found is None:
            head = exchange.head
            try:
                found = self.router.find(head.method, head.host, head.target)
            except HTTPError:
                return ""
        route = found.route
        return self.languages.get(route.name, "") if route is not None and not isinstance(route, Preflight) else ""

    def _check_method(self, exchange: Exchange, found: Found[Target]) -> None:
        """A judged request whose query names a method is read by that one as well: the same route must judge it."""
        head = exchange.head
        for method in override.methods(head, exchange.query, fields=False):
            try:
                same = self.router.find(method, head.host, head.target).route is found.route
            except HTTPError:
                same = False
            if not same:
                raise HTTPError("head.method_override")

    def _check_reading(self, exchange: Exchange) -> None:
        """What reads has no body where what is written is judged (RFC 9110, section 9.3.1: it means nothing in
        general). Many platforms take one for the same parameters as that of a POST, whatever the method is."""
        head = exchange.head
        try:
            self.router.find(b"", head.host, head.target)  # as what no route names
        except HTTPError:
            raise HTTPError(UNEXPECTED) from None

    def _check_only_reading(self, exchange: Exchange) -> None:
        """What no route names only reads, by its own method and by any that it names besides, and has no body."""
        head = exchange.head
        if head.method not in READING:
            raise HTTPError("route.unjudged")
        if head.length:
            raise HTTPError(UNEXPECTED)
        if not override.methods(head, exchange.query) <= READING:
            raise HTTPError("head.method_override")

    def _check_overrides(self, exchange: Exchange) -> None:
        """A request that nobody judges keeps the fields by which a platform may read another one in it."""
        head = exchange.head
        methods = override.methods(head, exchange.query)
        for method in methods:
            try:
                judged = isinstance(self.router.find(method, head.host, head.target).route, GUARDED)
            except HTTPError:  # it would be refused by that method, whichever of several comes first
                judged = True
            if judged:
                raise HTTPError("head.method_override")
        for target in override.targets(head):
            for method in (head.method, *methods):
                try:
                    judged = isinstance(self.router.find(method, head.host, target).route, GUARDED)
                except HTTPError:
                    judged = True
                if judged:
                    raise HTTPError("head.target_override")

    def _renamed(self, exchange: Exchange, relayed: Relayed) -> bool:
        """See to a POST that nobody judges, where another method would be judged or watched and the body may name it:
        false where there is none. A deletion that a form names is watched as one; any other is refused."""
        head = exchange.head
        others: dict[bytes, Found[Target] | None] = {}
        for method in self.router.rewritable:
            try:
                found = self.router.find(method, head.host, head.target)
                if isinstance(found.route, Route | Deletions):
                    others[method] = found
            except HTTPError:
                others[method] = None
        if not others:
            return False
        if head.fields.get(b"content-encoding", b"identity").lower() != b"identity":
            raise HTTPError("head.method_override")
        body = exchange.body_at_hand
        if body is not None:
            found_by_name = overridden.deletion_named(body, others)
            if found_by_name is not None:
                self.delete(exchange, found_by_name)
            return found_by_name is not None
        deletions = [found.route for found in others.values() if found is not None and type(found.route) is Deletions]
        if deletions and 0 < head.length <= min(route.max_body for route in deletions):
            # Where the segments of TCP end must not decide what becomes of a form.
            exchange.user = overridden.Renamed(relayed, others)
            exchange.gather(head.length)
        else:
            self._relay(exchange, relayed, screen=override.Screen(others))
        return True

    def _judged_alike(self, exchange: Exchange, method: bytes) -> bool:
        """Whether by ``method``, which its body names, a request would be judged by the same route; else refuse it."""
        head = exchange.head
        found: Found[Target] = exchange.route
        try:
            same = method == head.method or self.router.find(method, head.host, head.target).route is found.route
        except HTTPError:
            same = False
        if not same:
            exchange.refuse_reason("head.method_override")
        return same

    def meant(self, exchange: Exchange, found: Found[Target], route: Route) -> None:
        """A request is one for ``route``, as its body shows."""
        exchange.route = found
        exchange.cors = route.cors
        exchange.shapes = None if route.shapes is None else _shapes(exchange, found, route.shapes)

    def on_body(self, exchange: Exchange, body: bytes, told: Told | None = None) -> None:
        """A judged request is complete: decode it, and send its message on its way. ``told``: what the platform has
        just said of its sender."""
        began = perf_counter()
        found: Found[Target] | None = exchange.route
        route = found.route if found is not None else None
        if found is None or type(route) is not Route:
            self._on_other_body(exchange, found, body)
            return
        shapes = exchange.shapes
        if shapes is not None and isinstance(shapes.values, Echo):
            shapes.values.body = body
        request = arrived(exchange, found, route, told)
        decoded = route.surface.decode(request, body)
        if type(decoded) is Messages:
            if decoded.kind >= 0:
                route = route.kinds[decoded.kind]
            if decoded.method and not self._judged_alike(exchange, decoded.method):
                return
            (message,) = decoded.messages
            if route.whoami is not None and message.degraded:
                route.whoami.ask(request.fields, request.repeated, "", None)
            if self.traces is None:
                Comment(self, exchange, route, decoded, message, began).enter()
            elif exchange.trace is not None and self.tracer is not None:
                Sampled(self, exchange, route, decoded, message, began).enter()
            else:
                Traced(self, exchange, route, decoded, message, began).enter()
        elif isinstance(decoded, Malformed):
            self.count_refused(route.name, decoded.reason)
            exchange.refuse(answers.malformed(decoded))
        elif isinstance(decoded, SeveralMessages):
            self._several(exchange, route, decoded, request, began)
        elif isinstance(decoded, Unasked):
            assert route.whoami is not None
            waiting = SenderAsked(self, exchange, body)
            route.whoami.ask(request.fields, request.repeated, counted(request.peer_ip), waiting)
        elif not decoded.method or self._judged_alike(exchange, decoded.method):
            exchange.forward(
                route.upstream, decoded.body, drop=INFLATED if decoded.identity else NONE, route=route.name
            )

    def _several(
        self, exchange: Exchange, route: Route, decoded: SeveralMessages, request: Arrived, began: float
    ) -> None:
        """A request that holds several messages."""
        if decoded.method and not self._judged_alike(exchange, decoded.method):
            return
        messages = decoded.messages
        if route.whoami is not None and any(message.degraded for message in messages):
            route.whoami.ask(request.fields, request.repeated, "", None)
        exchange.charge(len(messages) - 1)
        Comments(self, exchange, route, decoded).enter(began)

    def _on_other_body(self, exchange: Exchange, found: Found[Target] | None, body: bytes) -> None:
        """The body of a request that is not judged: of a deletion, or of what may become one."""
        if found is not None:
            route = found.route
            if isinstance(route, Overridden):
                overridden.on_body(self, exchange, found, body)
                return
            assert isinstance(route, Deletions)
            route.watch(exchange, _arrived(exchange, found), body, self.pipeline.journal)
            exchange.forward(route.upstream, body, route=route.name)
            return
        renamed: overridden.Renamed = exchange.user
        exchange.user = None
        found_by_name = overridden.deletion_named(body, renamed.others)
        if found_by_name is not None:
            self.delete(exchange, found_by_name, body)
        else:
            self._relay(exchange, renamed.relayed, body)

    def on_outcome(
        self, exchange: Exchange, status: int | None, body_prefix: bytes, error: UpstreamError | None
    ) -> None:
        """What became of a forwarded message, or of a deletion that was watched: the second record."""
        carried: Comment | Comments | RelayedDeletion | RelayedLogOut | None = exchange.user
        exchange.user = None  # they hold each other: so both are freed now, and not when the collector runs
        if carried is not None:
            carried.on_outcome(status, body_prefix, error)
            if self.review is not None and status is not None and status < 400:
                self.review.published(exchange.head.fields)
        elif exchange.route is not None and exchange.route.route.answers is not None:  # of a judged route, not judged
            exchange.route.route.answers.count(exchange.status)

    def delete(self, exchange: Exchange, found: Found[Target], body: bytes | None = None) -> None:
        """Relay a deletion and listen to its answer; its body is collected only where the id stands in it. ``body``:
        the one that was gathered before."""
        route = found.route
        assert isinstance(route, Deletions)
        if exchange.head.options:
            raise HTTPError("head.connection_option")
        if not route.reader.reads_body:
            route.watch(exchange, _arrived(exchange, found), b"", self.pipeline.journal)
            exchange.relay(route.upstream, watched=True, route=route.name, body=body)
            return
        exchange.route = found
        exchange.collect(route.max_body, body)

    def count_refused(self, route: str, reason: str) -> None:
        """Count a request that came to no verdict."""
        self._refused.add((route, reason))

    @staticmethod
    def _preflight(exchange: Exchange, route: Preflight) -> None:
        lines = route.cors.preflight_lines(exchange.header(b"origin"))
        if lines is None:
            exchange.refuse(problem_for("cors.origin"))
        else:
            exchange.answer(204, lines, b"")


def _shapes(exchange: Exchange, found: Found[Target], shapes: AnswerShapes) -> AnswerShapes:
    """The shapes of a request's refusals, with its own values at hand where they repeat any."""
    if shapes.echoes:
        return shapes.bound(Echo(exchange.head.fields, exchange.query, found.parameters))
    return shapes


def _arrived(exchange: Exchange, found: Found[Target]) -> Arrived:
    """A request that nobody is judged by: its head, and where it goes."""
    head = exchange.head
    return Arrived(head.method, head.fields, head.repeated, exchange.query, found.parameters())
