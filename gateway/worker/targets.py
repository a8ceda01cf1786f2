"""From a generation's routes to what the router finds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from filters.policy import Policy
from filters.reading.keywords import AnyList, Scanner
from filters.reading.window import Consecutive
from gateway.appeals.prints import Prints
from gateway.common.clock import now_us
from gateway.common.metrics import AnswerCounts
from gateway.config import Config
from gateway.config.sections import policies as policy_sections
from gateway.config.sections.routes import Removal
from gateway.config.sections.routes import Route as RouteSettings
from gateway.generation import conversion
from gateway.http.upstream.upstream import Upstream
from gateway.http.wire.path import Template
from gateway.http.wire.peers import TrustedProxies
from gateway.journal.write.record import Basis
from gateway.judging.relayed_deletion import Deletions
from gateway.judging.route import Overridden, Preflight, Relayed, Route, SocketSide, Target
from gateway.senders.directory import PlatformAsked
from gateway.senders.whoami import Whoami
from gateway.surfaces.deletion import DeletionReader
from gateway.websocket.origins import Origins
from gateway.words.files import folding_tables
from gateway.worker.overriding import cross_origin, overridden

if TYPE_CHECKING:
    from gateway.worker.app import App


def targets(
    app: App,
    config: Config,
    lists: Mapping[str, AnyList],
    upstreams: Mapping[str, Upstream],
    whoamis: Mapping[str, Whoami],
) -> list[tuple[Template, Target]]:
    """Every target with its template. ``whoamis``: by route, where the platform is asked."""
    policies = policy_sections.build(config)
    made: list[tuple[Template, Target]] = [*overridden(config)]
    for settings in config.routes:
        upstream = upstreams[settings.upstream]
        target: Target
        if settings.judged:
            target = _judged(app, config, settings, policies, lists, upstream, whoamis.get(settings.name))
        elif settings.removal is not None:
            target = _deletions(app, config, settings, settings.removal, upstream)
        else:
            target = Relayed(settings.name, upstream, _socket_side(settings), answers(app, settings.name))
        template = settings.template
        made.append((template, target))
        if isinstance(target, Route) and target.cors is not None:
            made.append((template._replace(methods=(b"OPTIONS",)), Preflight(target.cors)))
    return made


def _judged(
    app: App,
    config: Config,
    settings: RouteSettings,
    policies: Mapping[str, Policy],
    lists: Mapping[str, AnyList],
    upstream: Upstream,
    whoami: Whoami | None,
) -> Route:
    cors = settings.cors
    policy = policies[settings.policy]
    codes = conversion.appeal_codes(config.appeals, app.salt)
    chosen = [lists[name] for name in policy.asks.lists]
    reaching = [(one, window) for one in chosen if (window := conversion.window(config.lists[one.name])) is not None]
    crowd = [(lists[name], conversion.crowd_window(config.lists[name])) for name in policy.asks.crowd]
    bounds = conversion.bounds(config.server, settings)
    assert settings.surface is not None
    kind, _, name = settings.id_to.partition(":")
    id_header = name.encode() if kind == "header" else b""
    return Route(
        name=settings.name,
        settings=settings,
        surface=conversion.compiled(config, settings, app.ids, now_us, app.salt),
        policy=policy,
        scanner=Scanner(
            chosen, policy.asks.fingerprint, bounds, folding_tables(), settings.markup_undone
        ),
        basis=Basis(
            settings.name, settings.surface, policy, {one.name: one.digest for one in chosen}, settings.content_kept,
            settings.keep, Prints(codes, folding_tables()).of if codes is not None else None, settings.delay,
        ),
        upstream=upstream,
        upstream_seconds=app.metrics.upstream_seconds.of(settings.upstream),
        trusted=TrustedProxies(str(network) for network in settings.trust),
        appeal=conversion.appeal_address(config, settings.policy, codes),
        cors=cross_origin(cors) if cors is not None else None,
        shapes=conversion.shapes(settings.refusal),
        passed=app.metrics.messages.of((settings.name, "pass", "")),
        id_header=id_header,
        id_header_drop=frozenset((id_header.lower(),)) if id_header else frozenset(),
        mirrored=config.mirror.path if config.mirror is not None and settings.mirrored else "",
        fresh=app.mirror_fresh(config) if settings.mirrored else None,
        consecutive=Consecutive(reaching, bounds, settings.markup_undone) if reaching else None,
        crowd=Consecutive(crowd, bounds, settings.markup_undone) if crowd else None,
        socket=_socket_side(settings),
        answers=answers(app, settings.name),
        whoami=whoami,
        delay=settings.delay,
        kinds=tuple(_judged(app, config, kind, policies, lists, upstream, whoami) for kind in settings.kinds),
    )  # fmt: skip


def asked(config: Config, upstreams: Mapping[str, Upstream]) -> dict[str, PlatformAsked]:
    """By route, whom it asks who sends."""
    return {
        route.name: PlatformAsked(
            conversion.whoami(route.whoami), upstreams[route.upstream],
            conversion.asked_host(config, route, route.whoami.ask),
        )
        for route in config.routes
        if route.whoami is not None
    }  # fmt: skip


def guarded(target: Target) -> bool:
    """Whether a request for it must not go on as if it were for nothing."""
    return isinstance(target, Route | Deletions | Overridden)


def judged(target: Target) -> bool:
    """Whether what it takes is judged, or answered here."""
    return isinstance(target, Route | Overridden | Preflight)


def sealed(target: Target) -> bool:
    """Whether nothing is written to its address, or below it, that the configuration does not name (law 14)."""
    return isinstance(target, Route) and target.settings.unjudged == "refuse"


def _socket_side(settings: RouteSettings) -> SocketSide | None:
    if settings.transport != "websocket":
        return None
    section = settings.websocket
    return SocketSide(conversion.habits(section), Origins(settings.origins), section.plain == "relay")


def _deletions(app: App, config: Config, settings: RouteSettings, removal: Removal, upstream: Upstream) -> Deletions:
    names = settings.template.names  # a deletion need not say where
    room = tuple(one for one in settings.room if not one.startswith("path:") or one.removeprefix("path:") in names)
    spelled = next(route.room_format for route in config.routes if route.name == removal.of)
    reader = DeletionReader(removal.id, room, removal.gone_when, room_format=spelled)
    return Deletions(
        settings.name, upstream, removal.of, removal.by == "tidegate", removal.actor, reader, settings.max_body,
        app.metrics.removals, answers(app, settings.name),
    )  # fmt: skip


def answers(app: App, route: str) -> AnswerCounts:
    return AnswerCounts(app.metrics.relayed, route)
