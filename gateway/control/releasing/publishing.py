"""Asking the platform to publish: ``[routes.release]``, over the same strict client as the data plane's."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, Protocol

from gateway.config.sections.routes import Release, Route
from gateway.control.adapters.platform import Answered, PlatformSide, route_of
from gateway.control.releasing.outgoing import Unreleasable, outgoing
from gateway.generation import conversion
from gateway.parking.parked import ParkedRequest
from gateway.surfaces.input.settings import SurfaceError

LATER: Final = frozenset((408, 425, 429))
"""It did not take it now: the same may be sent again (RFC 9110, RFC 8470, RFC 6585)."""
OF_A_FRONT: Final = frozenset((502, 504))
"""Said by something between us and the platform, which may have taken it."""

Became = Literal["delivered", "refused", "later", "unreached", "lost"]


class Published(NamedTuple):
    """What came of asking once. ``later`` and ``unreached``: nothing was published, and it may be asked again;
    ``lost``: nobody knows. ``problem``: a reason code where it was not delivered."""

    became: Became
    status: int | None = None
    problem: str = ""
    upstream_id: str = ""


class Ways(NamedTuple):
    """How a route's messages get to the platform. ``publishes``: it can be asked, else its sender sends again.
    ``retry_for``: seconds."""

    publishes: bool
    idempotent: bool
    retry_for: float


class Publisher(Protocol):
    """The platform, as far as it publishes what was held."""

    def ways(self, parked: ParkedRequest) -> Ways:
        """How, as it is configured now."""

    def route(self, name: str) -> Route:
        """The route; one that says nothing where it is configured no more."""

    async def publish(self, parked: ParkedRequest, release_id: str, texts: tuple[str, ...] | None) -> Published:
        """Ask once; never raises."""


class PlatformPublisher:
    """Asks ``platform``."""

    def __init__(self, platform: PlatformSide) -> None:
        self._platform = platform

    def route(self, name: str) -> Route:
        return route_of(self._platform.current(), name)

    def ways(self, parked: ParkedRequest) -> Ways:
        release = self.route(parked.route).release
        if release is None:
            return Ways(publishes=False, idempotent=False, retry_for=0.0)
        # An address for publishing would put an edit beside what it edits; replayed, it goes where it was meant to.
        publishes = (release.match is not None and not parked.edit) or (
            release.replay is not None and not parked.socket and not parked.restores
        )
        return Ways(publishes, release.idempotent, release.retry_for)

    async def publish(self, parked: ParkedRequest, release_id: str, texts: tuple[str, ...] | None) -> Published:
        platform = self._platform
        config = platform.current()
        route = route_of(config, parked.route)
        release = route.release
        if release is None:
            return Published("refused", None, "release.unconfigured")
        try:
            upstream = platform.upstream(route.upstream)
            sent = outgoing(config, route, release, parked, upstream, release_id, texts)
        except Unreleasable as error:
            return Published("refused", None, error.reason)
        answer = await platform.ask(upstream, sent.head, sent.body, idempotent=release.idempotent)
        became = _became(release, answer)
        if became == "delivered":
            try:
                name = conversion.compiled(config, route, str, int).upstream_id(answer.body)
            except SurfaceError:
                name = ""
            return Published(became, answer.status, "", name)
        problem = answer.problem or ("release.refused" if became == "refused" else "upstream.status")
        return Published(became, answer.status, problem)


def _became(release: Release, answer: Answered) -> Became:
    status = answer.status
    if status is None:
        return "lost" if answer.sent else "unreached"
    if status < 300 or (status < 400 and release.match is None):  # a form's answer leads elsewhere, as on its way in
        return "delivered"
    if status in LATER or (status == 409 and release.idempotent):  # one with this key may be under way still
        return "later"
    if status in OF_A_FRONT and not release.idempotent:
        return "lost"
    return "later" if status >= 500 else "refused"
