"""One call of the admin API, validated, and what its handler may use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from aiohttp import web
from sqlalchemy.orm import Session

from gateway.common.addresses import PREFIX
from gateway.control.access.roles import Permission, Principal, refused
from gateway.control.acts.acts import Unit
from gateway.control.acts.database import Database
from gateway.control.acts.ledger import Ledger, Outcome
from gateway.control.acts.neighbours import Projection, Reloader
from gateway.control.acts.refusal import ControlError, missing
from gateway.control.calls.endpoint import Endpoint
from gateway.control.calls.schemas import Done, ReloadOut
from gateway.control.workers.totals import Totals
from gateway.control.workers.workers import Workers

B = TypeVar("B")
Q = TypeVar("Q")
T = TypeVar("T")
R = TypeVar("R")
S = TypeVar("S")


class BodyBounds(NamedTuple):
    """``max_body`` and ``max_import`` in bytes."""

    max_body: int
    max_import: int


@dataclass(frozen=True, slots=True)
class Services:
    """Everything behind the API; made once, in ``gateway.control.process``.

    ``features``: what features have running, one object of each class. A handler asks for its own by class
    (``call.service(Takedowns)``), so that calls know no feature and no feature knows another's handlers.
    """

    database: Database
    ledger: Ledger
    workers: Workers
    totals: Totals
    projection: Projection
    reloader: Reloader
    route_names: Callable[[], frozenset[str]]
    mirror_lag: Callable[[], float | None]  # seconds
    mirror_max_lag: Callable[[], float | None]  # seconds; None without a mirror
    bounds: BodyBounds
    endpoints: Sequence[Endpoint]  # all of them, whichever are served at an address
    metrics: bool = True  # whether /metrics is offered
    ipv6_prefix: Callable[[], int] = lambda: PREFIX  # server.ipv6_prefix, as it is now
    features: Sequence[object] = ()
    lines_dropped: Callable[[], int] = lambda: 0  # of control's own access log
    admit: Callable[[], None] = lambda: None  # raises while nobody can be known who asks

    def of(self, kind: type[S]) -> S:
        """The feature of this class. Raises LookupError where nobody made one: a fault of the wiring."""
        for feature in self.features:
            if isinstance(feature, kind):
                return feature
        raise LookupError(f"nothing here is a {kind.__name__}")


@dataclass(frozen=True, slots=True)
class Call(Generic[B, Q]):
    """``places``: what stood for the placeholders of the path; ``caller``: whose token it was, nobody on the endpoints
    that need none; ``access``: what the endpoint asks of them. ``anew``: the same caller as the database knows them
    within a transaction; raises where their token or session is no more."""

    request: web.Request
    services: Services
    places: Mapping[str, str]
    caller: Principal
    access: Permission
    anew: Callable[[Session, Principal], Principal]
    body: B
    query: Q

    def path(self, name: str) -> str:
        """A placeholder of the path, decoded."""
        return self.places[name]

    def number(self, name: str) -> int:
        """A placeholder of the path that is a number; 404 where it is not."""
        value = self.path(name)
        if not value.isascii() or not value.isdigit() or len(value) > 18:
            raise missing(name if name != "id" else "number")
        return int(value)

    def service(self, kind: type[S]) -> S:
        """What this call's feature has running, by its class."""
        return self.services.of(kind)

    def permitted(self, session: Session) -> Principal:
        """The caller as they are now; raises where they may not, or not any more."""
        caller = self.anew(session, self.caller)
        permit(self.access, caller)
        return caller

    async def act(
        self, reason: str, kind: str, subject: str, work: Callable[[Unit], R], *, settle: bool = True
    ) -> Outcome[R]:
        """Do an act in the caller's name. Whether they may is asked again within its transaction: who was let in may
        have lost role or token while they sent the rest."""

        def permitted(unit: Unit) -> R:
            self.permitted(unit.session)
            return work(unit)

        caller = self.caller
        return await self.services.ledger.act(
            caller.person, reason, kind, subject, permitted, settle=settle, token=caller.token or None
        )

    async def reads(self, reason: str, kind: str, subject: str) -> None:
        """Note that the caller reads personal data; to be awaited before it is handed out."""
        await self.act(reason, kind, subject, _nothing, settle=False)


def permit(access: Permission, caller: Principal) -> None:
    """Raises where the caller may not."""
    found = refused(access, caller)
    if found is not None:
        raise ControlError(403, *found)


def _nothing(_unit: Unit) -> None:
    return None


def done(outcome: Outcome[Any], result: T) -> Done[T]:
    """The answer to an act."""
    reload = outcome.reload
    return Done(
        act=outcome.act,
        id=outcome.uid,
        in_force=outcome.in_force,
        journalled=outcome.journalled,
        projected=outcome.projected,
        replicated=outcome.replicated,
        workers=outcome.workers,
        reload=ReloadOut.model_validate(reload._asdict()) if reload is not None else None,
        result=result,
    )
