"""A route as the hot path wants it: everything that does not change between two messages, made once a generation."""

from __future__ import annotations

from dataclasses import dataclass

from filters.keywords import Scanner
from filters.policy import Policy
from gateway.config.routes import Route as RouteSettings
from gateway.deletion import Deletions
from gateway.http.cors import Cors
from gateway.http.peers import TrustedProxies
from gateway.http.problem import PlatformShape
from gateway.http.upstream import Upstream
from gateway.journal.record import Basis
from gateway.metrics import Histogram
from gateway.surfaces.surface import Surface


@dataclass(frozen=True, slots=True)
class Relayed:
    """A route that is relayed untouched. ``name`` is empty for what no route matches."""

    name: str
    upstream: Upstream


@dataclass(frozen=True, slots=True)
class Preflight:
    """The answer to a CORS preflight for a judged route; the platform is not asked."""

    cors: Cors


@dataclass(frozen=True, slots=True)
class Route:
    """A judged route. ``appeal`` is empty where the policy says ``off``; ``passed`` is the metric's key of a pass.

    ``id_header``: the header in which our id goes up (``id_to``), empty for none; ``id_header_drop`` keeps a client's
    own header of that name from going along.
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
    appeal: str
    cors: Cors | None
    shape: PlatformShape | None
    passed: tuple[str, str, str]
    id_header: bytes = b""
    id_header_drop: frozenset[bytes] = frozenset()


Target = Route | Relayed | Deletions | Preflight
