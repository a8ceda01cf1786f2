"""From configuration to settings: one function for each section, and nothing else.

The parts below know nothing of TOML; each has settings of its own. What has the same name in both is carried over
(``carried``); only what differs is written here.
"""

from __future__ import annotations

import hashlib
import os
import ssl
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import structlog

from filters.model.meaning import LANGUAGES
from filters.reading.keywords import Bounds
from filters.reading.window import Window
from gateway.appeals.appeal_address import AppealAddress
from gateway.appeals.codes import Codes
from gateway.common.metrics import Count
from gateway.config import Config, ConfigProblem
from gateway.config.consistency.lines import line_of, lines_in
from gateway.config.sections.control import Logs
from gateway.config.sections.journal import Journal
from gateway.config.sections.jwt import Jwt
from gateway.config.sections.lists import ListFile
from gateway.config.sections.refusal import Refusal
from gateway.config.sections.review.appeal_terms import AppealTerms
from gateway.config.sections.review.review import Review
from gateway.config.sections.routes import Route, Socket
from gateway.config.sections.senders.asking import Whoami
from gateway.config.sections.sentences import Sentences as SentencesSection
from gateway.config.sections.server import Server
from gateway.config.sections.upstreams import Upstream, UpstreamTls
from gateway.config.values.carrying import carried
from gateway.generation import rotation
from gateway.http.accepting.certificates import Certificates, ListeningTlsSettings, PairFiles, UnusablePair
from gateway.http.server.sentences import Sentences
from gateway.http.server.settings import ServerSettings
from gateway.http.server.shapes import AnswerShape, AnswerShapes
from gateway.http.upstream.settings import CheckSettings, EjectionSettings, UpstreamServerSettings, UpstreamSettings
from gateway.http.wire.address import parse_address
from gateway.http.wire.path import parse_template
from gateway.index.store.settings import IndexSettings
from gateway.journal.write.settings import JournalSettings
from gateway.logs import logs
from gateway.logs.access_log import AccessLog, write_lines
from gateway.obligations.regulations.sentence import Sentence
from gateway.parking.seal import key_of
from gateway.parking.settings import ReviewSettings
from gateway.replicas.copying.settings import PeerSettings, ReplicaSettings
from gateway.senders import salt as salts
from gateway.senders.settings import WhoamiSettings
from gateway.sentences.known import known
from gateway.sentences.own import TERMS
from gateway.surfaces import compiled as compiled_surface
from gateway.surfaces.each import Each
from gateway.surfaces.input.request import Arrived
from gateway.surfaces.input.settings import SurfaceError, SurfaceSettings, TokenSettings
from gateway.surfaces.kinds import Kinds, KindSettings
from gateway.surfaces.surface import Surface
from gateway.websocket.habits import Habits

log = structlog.get_logger()

EXPIRES_SOON = 14 * 86400.0
"""Seconds; whoever renews by machine does so earlier."""


def server(section: Server, traced: bool = False) -> ServerSettings:
    """``[server]``, the part that concerns connections. ``traced``: ``[traces]`` is there."""
    trusted = tuple(str(network) for network in section.trusted_proxies)
    return carried(ServerSettings, section, trusted_proxies=trusted, traces=section.traces or traced)


def review(section: Review) -> ReviewSettings:
    """``[review]``."""
    keys = tuple(key_of(one.get_secret_value()) for one in section.previous_keys)
    return carried(ReviewSettings, section, key=key_of(section.key.get_secret_value()), previous_keys=keys)


def shapes(sections: Sequence[Refusal]) -> AnswerShapes | None:
    """A route's ``refusal``."""
    made = [
        AnswerShape(
            one.status or 0, "" if one.body is None else one.body, one.headers, verdicts=one.verdicts,
            reasons=one.reasons, accepts=one.accepts, media_type=one.type, page=one.page, redirect=one.redirect,
            silent=one.silent,
        )
        for one in sections
    ]  # fmt: skip
    return AnswerShapes(*made) if made else None


def listening_tls(section: Server) -> ListeningTlsSettings | None:
    """``[server.tls]``."""
    if section.tls is None:
        return None
    pairs = tuple(PairFiles(pair.certificate, pair.key) for pair in section.tls.certificates)
    return ListeningTlsSettings(pairs, section.tls.min_version)


def upstream(name: str, section: Upstream, *, wanting: bool = False) -> UpstreamSettings:
    """``[upstreams.NAME]``; reads the files of its TLS. ``wanting``: without a certificate of ours that cannot be used,
    which is told. Raises OSError and ssl.SSLError."""
    servers = []
    tls, tls_key = _upstream_tls(name, section.tls, wanting=wanting)
    for entry in section.servers:
        address = parse_address(entry.url)
        servers.append(
            carried(
                UpstreamServerSettings, entry, section.tls,
                address=address, tls=tls if address.tls else None, tls_key=tls_key if address.tls else "",
            )
        )  # fmt: skip
    return carried(
        UpstreamSettings,
        section,
        name=name,
        servers=tuple(servers),
        ejection=carried(EjectionSettings, section.passive),
        check=carried(CheckSettings, section.active) if section.active is not None else None,
        # Several servers behind one name answer to one name: the first one's.
        host="" if section.preserve_host else servers[0].address.authority,
    )


def _upstream_tls(name: str, tls: UpstreamTls, *, wanting: bool) -> tuple[ssl.SSLContext, str]:
    """The context, and a digest of all that it was made of: connections made under another are not used again."""
    digest = hashlib.sha256(repr((tls.verify, tls.ca is None, tls.certificate is None)).encode())
    for file in (tls.ca, tls.certificate, tls.key):
        try:
            digest.update(b"" if file is None else hashlib.sha256(file.read_bytes()).digest())
        except OSError:
            if not wanting or file != tls.key:
                raise
    context = ssl.create_default_context(cafile=str(tls.ca) if tls.ca is not None else None)
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.certificate is not None:
        try:
            context.load_cert_chain(tls.certificate, tls.key)
        except (OSError, ssl.SSLError) as error:
            if not wanting:
                raise
            # Its servers refuse us, which is told; all the others are served.
            log.error("upstream.without_certificate", upstream=name, problem=error.strerror or type(error).__name__)
    return context, digest.hexdigest()


def tokens(section: Jwt) -> TokenSettings:
    """``[jwt]``; reads the JWKS file."""
    return carried(
        TokenSettings,
        section,
        keys=tuple(("", key.get_secret_value().encode()) for key in section.keys),
        jwks=rotation.read(section.jwks) if section.jwks is not None else b"",
    )


def salt(section: Server, file: Path) -> bytes:
    """``server.salt``, or the one that the node keeps. Raises ``SaltUnreadable``, ``OSError``."""
    written = section.salt.get_secret_value()
    return salts.of_setting(written) if written else salts.kept(file)


def appeal_codes(section: AppealTerms | None, salt: bytes) -> Codes | None:
    """``[appeals]``: what makes and reads codes, with its key or one that follows from the node's ``salt``."""
    if section is None:
        return None
    written = section.key.get_secret_value().encode() or salt
    return Codes(hashlib.blake2b(written, digest_size=32, person=b"tidegate appeals").digest())


def appeal_codes_of(config: Config, salt_file: Path) -> Codes | None:
    """The same, of a configuration in force."""
    return appeal_codes(config.appeals, salt(config.server, salt_file)) if config.appeals is not None else None


def appeal_address(config: Config, policy: str, codes: Codes | None) -> AppealAddress:
    """Where those turn to whom a policy refuses."""
    address = config.policies[policy].appeal
    return AppealAddress("" if address == "off" else address, codes)


def appeals_upstream(socket: Path) -> UpstreamSettings:
    """Where control hears appellants: few at once, and never left out, for control comes back."""
    return UpstreamSettings(
        "appeals", (UpstreamServerSettings(parse_address(f"unix:{socket}")),), max_connections=8, max_waiting=64,
        answer_timeout=10.0, total_timeout=30.0, idle_timeout=20.0, ejection=EjectionSettings(failures=0),
    )  # fmt: skip


def whoami(section: Whoami) -> WhoamiSettings:
    """``[routes.whoami]``."""
    return carried(WhoamiSettings, section)


def surface(config: Config, route: Route, salt: bytes = b"") -> SurfaceSettings:
    """What a judged route says of its messages. ``salt``: of its digests."""
    policy = config.policies[route.policy]
    scopes = {limit.scope for rule in policy.rules for limit in getattr(rule, "limits", ())}
    blocks = any(rule.check == "block" for rule in policy.rules)
    assert route.surface is not None
    return carried(
        SurfaceSettings,
        route,
        config.server,
        route.websocket,
        surface=route.surface,
        room_ends_path=_ends_with_room(route),
        device=_listed(route.device),
        registrant=_listed(route.registrant),
        verified=_listed(route.verified),
        level=_listed(route.level),
        shown_sender=_listed(route.shown_sender),
        playback=_listed(route.playback),
        # An address is a personal field: it is read only where a check or the record needs it (law 7).
        digest_key=salt,
        read_ip=blocks or "ip" in scopes or "ip" in route.keep,
        token=tokens(config.jwt) if config.jwt is not None else None,
    )


def compiled(
    config: Config, route: Route, new_id: Callable[[], str], now_us: Callable[[], int], salt: bytes = b""
) -> Surface:
    """The surface of a judged route, with all its kinds of message. Raises ``SurfaceError``."""
    made = _of_one(config, route, new_id, now_us, salt)
    return Each(made, surface(config, route, salt)) if route.each else made


def _of_one(config: Config, route: Route, new_id: Callable[[], str], now_us: Callable[[], int], salt: bytes) -> Surface:
    """What reads one message of it."""
    if not route.messages:
        return compiled_surface(surface(config, route, salt), new_id, now_us)
    judged = iter(route.kinds)
    kinds = [
        KindSettings(one.when, None if one.relay else surface(config, next(judged), salt)) for one in route.messages
    ]
    return Kinds(
        surface(config, route, salt), kinds, route.otherwise, partial(compiled_surface, new_id=new_id, now_us=now_us),
        new_id, now_us,
    )  # fmt: skip


def _ends_with_room(route: Route) -> bool:
    template = route.template
    last = template.segments[-1:] == (None,) and not template.below
    return last and f"path:{template.names[-1]}" in route.room


def asked_host(config: Config, route: Route, question: str) -> bytes:
    """Under which host the platform of ``route`` is asked: that of ``question``, or of ``match``, or the upstream's own
    address."""
    server = parse_address(config.upstreams[route.upstream].servers[0].url)
    return parse_template(question).host or route.template.host or server.authority.encode("ascii")


def habits(section: Socket) -> Habits:
    """``[routes.websocket]``."""
    return carried(Habits, section)


def unbuildable(config: Config, file: str) -> list[ConfigProblem]:
    """What only building shows: settings of a surface that do not go together. Tried before anything is swapped."""
    problems = []
    settings = listening_tls(config.server)
    for number in range(len(settings.certificates)) if settings is not None else ():
        assert settings is not None
        try:
            Certificates(replace(settings, certificates=(settings.certificates[number],)))
        except UnusablePair as error:
            at = ("server", "tls", "certificates", number)
            line = line_of(at, lines_in(file))
            problems.append(ConfigProblem(file, f"server.tls.certificates[{number}]", "", str(error), line))
    for place, route in enumerate(config.routes):
        if not route.judged:
            continue
        try:
            made = compiled(config, route, str, int)
            if route.transport == "websocket":
                made.attach(Arrived(b"GET", {}))
        except SurfaceError as error:
            line = line_of(("routes", place), lines_in(file))
            problems.append(ConfigProblem(file, f"routes[{route.name}]", "", str(error), line))
    return problems


def expiring(config: Config, now: float) -> list[Sentence]:
    """A warning for each certificate of the public side that lasts less than ``EXPIRES_SOON`` from ``now`` (seconds
    since the epoch), or no longer. Of pairs that are usable."""
    settings = listening_tls(config.server)
    told = []
    for name, expires in Certificates(settings).expiries.items() if settings is not None else ():
        when = f"{datetime.fromtimestamp(expires, UTC):%Y-%m-%d %H:%M} UTC"
        if expires <= now:
            told.append(
                Sentence(
                    f"server.tls.certificates: {name} expired on {when}: clients will not accept it",
                    f"server.tls.certificates：{name} 已于 {when} 过期：客户端不会接受",
                )
            )
        elif expires <= now + EXPIRES_SOON:
            told.append(
                Sentence(
                    f"server.tls.certificates: {name} expires on {when}: renew it",
                    f"server.tls.certificates：{name} 将于 {when} 过期：请更新",
                )
            )
    return told


def bounds(section: Server, route: Route) -> Bounds:
    """How much text is read of a message, and how many hits are told."""
    return Bounds(route.max_text, section.max_folded, section.max_hits)


def window(section: ListFile) -> Window | None:
    """How far back ``[lists.NAME]`` reads a sender's messages; None for each alone."""
    if section.window:
        return Window(round(section.window * 1e6), section.window_length)
    return Window(length=section.window_length) if section.consecutive > 1 else None


def crowd_window(section: ListFile) -> Window:
    """How far back a room's messages are read, where a policy has the check ``crowd``."""
    return window(section) or Window(length=section.window_length)


def sentences(section: SentencesSection) -> Sentences:
    """``[sentences]``: what is shipped, and an operator's own words in its place."""
    words: dict[str, dict[str, tuple[str, str]]] = {}
    terms: dict[str, dict[str, str]] = {}
    for language in LANGUAGES:
        written = getattr(section, language)
        words[language] = {code: meaning.told(language) for code, meaning in known().items()}
        for code in written.keys() & known().keys():
            title, detail = known()[code].told(language)
            own = written[code]
            words[language][code] = (own.title or title, detail if own.detail is None else own.detail)
        shipped = {term: texts[language] for term, texts in TERMS.items() if language in texts}
        own_terms = {term: text for term, texts in section.terms.items() if (text := getattr(texts, language))}
        terms[language] = shipped | own_terms
    return Sentences(words, terms, section.language, section.otherwise)


def journal(section: Journal) -> JournalSettings:
    """``[journal]``, the part that concerns writing."""
    return carried(JournalSettings, section)


def index(config: Config) -> IndexSettings:
    """``[index]``; its defaults where there is none."""
    return carried(IndexSettings, config.index) if config.index is not None else IndexSettings()


def replicas(section: Journal) -> ReplicaSettings:
    """``[journal.replicas]``, but for the peers."""
    return carried(ReplicaSettings, section.replicas) if section.replicas is not None else ReplicaSettings()


def peers(config: Config) -> list[PeerSettings]:
    """``[journal.replicas.peers]`` without this node, which may stand among them."""
    named = config.journal.replicas.peers if config.journal.replicas is not None else {}
    return [
        carried(
            PeerSettings, one, name=name, token=one.token.get_secret_value(),
            ca=str(one.tls.ca) if one.tls.ca is not None else "", server_name=one.tls.server_name,
        )
        for name, one in named.items()
        if one.node != config.server.node
    ]  # fmt: skip


def for_people(section: Logs) -> bool:
    """Whether ``[logs]`` asks for lines that a person reads, here."""
    return section.format == "console" or (section.format == "auto" and sys.stderr.isatty())


def configure_logs(config: Config, process: str) -> None:
    """``[logs]``: what this process says of itself, and how."""
    logs.configure(
        config.logs.level, process=process, node=config.server.node, console=for_people(config.logs)
    )  # fmt: skip


def access_log(config: Config, process: str, dropped: Count) -> AccessLog | None:
    """``[logs]``: where each answered request is told, or None. Raises OSError where the file cannot be opened.
    ``dropped`` counts its lines that are lost."""
    section = config.logs
    if not section.access:
        return None
    named = {"process": process, "node": config.server.node, "pid": os.getpid()}
    if section.access_file is None:
        descriptor = sys.stderr.fileno()
        return AccessLog(partial(write_lines, descriptor), dropped=dropped, named=named, readable=for_people(section))
    file = section.access_file.open("ab", buffering=0)
    return AccessLog(partial(write_lines, file.fileno()), file.close, dropped=dropped, named=named)


def _listed(source: str) -> tuple[str, ...]:
    return (source,) if source else ()
