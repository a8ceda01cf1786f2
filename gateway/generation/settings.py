"""From configuration to settings: one function for each section, and nothing else.

The parts below know nothing of TOML; each has settings of its own, in its own words. Here the words meet.
"""

from __future__ import annotations

import ssl
import sys

from filters.reading.keywords import Bounds
from gateway.common import logs
from gateway.common.logs import AccessLog
from gateway.config import Config, Problem
from gateway.config.sections.control import Logs
from gateway.config.sections.journal import Journal
from gateway.config.sections.jwt import Jwt
from gateway.config.sections.routes import Route, Socket
from gateway.config.sections.server import Server
from gateway.config.sections.upstreams import Upstream
from gateway.generation import rotation
from gateway.http.server.settings import ServerSettings
from gateway.http.upstream.settings import CheckSettings, EjectionSettings, UpstreamSettings
from gateway.http.upstream.settings import ServerSettings as UpstreamServerSettings
from gateway.http.wire.address import parse_address
from gateway.journal.write.settings import Settings as JournalSettings
from gateway.surfaces import compiled as compiled_surface
from gateway.surfaces.input.request import Arrived
from gateway.surfaces.input.settings import SurfaceError, SurfaceSettings, TokenSettings
from gateway.websocket.habits import Habits


def server(section: Server) -> ServerSettings:
    """``[server]``, the part that concerns connections."""
    return ServerSettings(
        trusted_proxies=tuple(str(network) for network in section.trusted_proxies),
        via=section.via,
        max_target=section.max_target,
        max_head=section.max_head,
        max_headers=section.max_headers,
        max_relayed_body=section.max_relayed_body,
        max_buffered=section.max_buffered,
        max_connections=section.max_connections,
        max_connections_per_address=section.max_connections_per_address,
        max_collected=section.max_collected,
        head_timeout=section.head_timeout,
        body_timeout=section.body_timeout,
        stall_timeout=section.stall_timeout,
        idle_timeout=section.idle_timeout,
        linger_timeout=section.linger_timeout,
        request_ids=section.request_ids,
        traces=section.traces,
    )


def upstream(name: str, section: Upstream) -> UpstreamSettings:
    """``[upstreams.NAME]``."""
    servers = []
    for entry in section.servers:
        address = parse_address(entry.url)
        tls = _upstream_tls(section) if address.tls else None
        servers.append(UpstreamServerSettings(address, entry.weight, tls, section.tls.server_name))
    passive, active = section.passive, section.active
    check = None
    if active is not None:
        check = CheckSettings(
            active.path,
            active.interval,
            active.timeout,
            active.healthy_after,
            active.unhealthy_after,
            active.host,
        )
    return UpstreamSettings(
        name=name,
        servers=tuple(servers),
        balance=section.balance,
        max_connections=section.max_connections,
        max_upgraded=section.max_upgraded,
        max_waiting=section.max_waiting,
        wait_timeout=section.wait_timeout,
        connect_timeout=section.connect_timeout,
        answer_timeout=section.answer_timeout,
        read_timeout=section.read_timeout,
        total_timeout=section.total_timeout,
        idle_timeout=section.idle_timeout,
        retries=section.retries,
        max_head=section.max_head,
        max_informational=section.max_informational,
        ejection=EjectionSettings(passive.failures, passive.pause, passive.longest_pause, passive.share),
        check=check,
        # Several servers behind one name answer to one name: the first one's.
        host="" if section.preserve_host else servers[0].address.authority,
    )


def _upstream_tls(section: Upstream) -> ssl.SSLContext:
    tls = section.tls
    context = ssl.create_default_context(cafile=str(tls.ca) if tls.ca is not None else None)
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.certificate is not None:
        context.load_cert_chain(tls.certificate, tls.key)
    return context


def tokens(section: Jwt) -> TokenSettings:
    """``[jwt]``; reads the JWKS file."""
    return TokenSettings(
        algorithms=section.algorithms,
        source=str(section.source),
        keys=tuple(("", key.get_secret_value().encode()) for key in section.keys),
        jwks=rotation.read(section.jwks) if section.jwks is not None else b"",
        issuer=section.issuer,
        audience=section.audience,
        leeway=round(section.leeway),
        max_token=section.max_token,
        max_cached=section.max_cached,
    )


def surface(config: Config, route: Route) -> SurfaceSettings:
    """What a judged route says of its messages."""
    policy = config.policies[route.policy]
    scopes = {limit.scope for rule in policy.rules for limit in getattr(rule, "limits", ())}
    blocks = any(rule.check == "block" for rule in policy.rules)
    assert route.surface is not None
    return SurfaceSettings(
        name=route.name,
        surface=route.surface,
        sender=tuple(map(str, route.sender)),
        text=tuple(map(str, route.text)),
        room=(str(route.room),),
        device=_one(route.device),
        registrant=_one(route.registrant),
        location=tuple(map(str, route.location)),
        verified=_one(route.verified),
        level=_one(route.level),
        parts=tuple(map(str, route.parts)),
        shown_sender=_one(route.shown_sender),
        playback=_one(route.playback),
        playback_unit=route.playback_unit,
        message_when=route.message_when,
        relay_when=route.relay_when,
        format=route.format,
        # An address is a personal field: it is read only where a check or the record needs it (law 7).
        read_ip=blocks or "ip" in scopes or "ip" in route.keep,
        trusted_front=True,
        edit=route.edit,
        optional_text=route.optional_text,
        upstream_id=str(route.upstream_id) if route.upstream_id is not None else "",
        id_to=route.id_to,
        token=tokens(config.jwt) if config.jwt is not None else None,
        max_text=route.max_text,
        max_depth=config.server.max_json_depth,
        max_inflated=config.server.max_inflated,
        max_fields=config.server.max_fields,
        max_packets=route.websocket.max_packets,
    )


def habits(section: Socket) -> Habits:
    """``[routes.websocket]``."""
    quota, period = section.mute_after or (0, 0.0)
    return Habits(
        max_frame=section.max_frame,
        max_message=section.max_message,
        max_fragments=section.max_fragments,
        max_buffered=section.max_buffered,
        max_checking=section.max_checking,
        slow_timeout=section.slow_timeout,
        idle_timeout=section.idle_timeout,
        ping_interval=section.ping_interval,
        ping_timeout=section.ping_timeout,
        mute_quota=quota,
        mute_period=period,
        mute_for=section.mute_for,
        close_blocked=section.close_blocked,
    )


def unbuildable(config: Config, file: str) -> list[Problem]:
    """What only building shows: settings of a surface that do not go together. Tried before anything is swapped."""
    problems = []
    for route in config.routes:
        if not route.judged:
            continue
        try:
            made = compiled_surface(surface(config, route), str, int)
            if route.transport == "websocket":
                made.attach(Arrived(b"GET", {}))
        except SurfaceError as error:
            problems.append(Problem(file, f"routes[{route.name}]", "", str(error)))
    return problems


def bounds(section: Server, route: Route) -> Bounds:
    """How much text is read of a message, and how many hits are told."""
    return Bounds(route.max_text, section.max_folded, section.max_hits)


def journal(section: Journal) -> JournalSettings:
    """``[journal]``, the part that concerns writing."""
    return JournalSettings(
        fsync=section.fsync,
        segment_bytes=section.segment_size,
        segment_age=section.segment_age,
        queue_bytes=section.max_waiting,
        slow_write=section.slow_write,
        warn_free=section.low_disk,
        least_free=section.full_disk,
    )


def configure_logs(section: Logs, process: str) -> None:
    """``[logs]``: what this process says of itself, and how."""
    console = section.format == "console" or (section.format == "auto" and sys.stderr.isatty())
    logs.configure(section.level, process=process, console=console)


def access_log(section: Logs) -> AccessLog | None:
    """``[logs]``: where each answered request is told, or None. Raises OSError where the file cannot be opened."""
    if not section.access:
        return None
    if section.access_file is None:
        return AccessLog(_to_stderr)
    file = section.access_file.open("ab", buffering=0)
    return AccessLog(file.write, file.close)


def _to_stderr(lines: bytes) -> None:
    """The bytes behind ``sys.stderr`` are buffered, unlike its text: unflushed lines wait for the next message."""
    sys.stderr.buffer.write(lines)
    sys.stderr.buffer.flush()


def _one(source: object) -> tuple[str, ...]:
    return (str(source),) if source else ()
