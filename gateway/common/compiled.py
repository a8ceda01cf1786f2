"""Which modules can be compiled ahead of time (``make compiled``), and whether they are.

The list is the path of a message and of a socket's frame through a worker. What a module needs to be on it stands in
docs/compiled.md; everything else runs interpreted, whichever way the gateway was installed.
"""

from __future__ import annotations

from hashlib import sha256
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Final

LIBRARY: Final = "tidegate__mypyc"
"""The one shared library that holds them all; each module beside its source is a door to it."""

MODULES: Final = (
    "filters.lists.artifact",
    "filters.lists.gaps",
    "filters.lists.inserted",
    "filters.lists.matcher",
    "filters.lists.patterns",
    "filters.lists.rows",
    "filters.lists.shape",
    "filters.lists.standing",
    "filters.lists.strictness",
    "filters.lists.wordlist",
    "filters.model.credit",
    "filters.model.limits",
    "filters.model.remembered",
    "filters.policy",
    "filters.reading.keywords",
    "filters.reading.window",
    "filters.text.diacritics",
    "filters.text.elements",
    "filters.text.fingerprint",
    "filters.text.folding",
    "filters.text.graphemes",
    "filters.text.hangul",
    "filters.text.likeness",
    "filters.text.markdown",
    "filters.text.markup",
    "filters.text.numerals",
    "filters.text.signs",
    "filters.text.spans",
    "filters.text.tables",
    "gateway.carriers.arrival",
    "gateway.carriers.comment_passage",
    "gateway.carriers.handshakes",
    "gateway.carriers.judged",
    "gateway.carriers.link",
    "gateway.carriers.liveness",
    "gateway.carriers.mute",
    "gateway.carriers.notices",
    "gateway.carriers.requests",
    "gateway.carriers.sanctions",
    "gateway.carriers.session",
    "gateway.carriers.sockets",
    "gateway.carriers.telling",
    "gateway.common.clock",
    "gateway.common.metrics",
    "gateway.common.sweep",
    "gateway.http.server.answering",
    "gateway.http.server.arriving_body",
    "gateway.http.server.cors",
    "gateway.http.server.exchange",
    "gateway.http.server.problem",
    "gateway.http.server.queueing",
    "gateway.http.server.router",
    "gateway.http.server.server",
    "gateway.http.server.server_protocol",
    "gateway.http.server.shapes",
    "gateway.http.server.states",
    "gateway.http.server.turns",
    "gateway.http.upstream.balance",
    "gateway.http.upstream.connection",
    "gateway.http.upstream.failure",
    "gateway.http.upstream.pool",
    "gateway.http.upstream.server_health",
    "gateway.http.upstream.shares",
    "gateway.http.upstream.upstream",
    "gateway.http.upstream.upstream_call",
    "gateway.http.wire.address",
    "gateway.http.wire.errors",
    "gateway.http.wire.fields",
    "gateway.http.wire.forwarding",
    "gateway.http.wire.framing",
    "gateway.http.wire.head",
    "gateway.http.wire.override",
    "gateway.http.wire.path",
    "gateway.http.wire.peers",
    "gateway.http.wire.tally",
    "gateway.journal.write.counters",
    "gateway.journal.write.encoding",
    "gateway.journal.write.ids",
    "gateway.journal.write.log",
    "gateway.journal.write.record",
    "gateway.journal.write.segments",
    "gateway.journal.write.turn_batch",
    "gateway.journal.write.upkeep",
    "gateway.journal.write.writer",
    "gateway.judging.answers",
    "gateway.judging.echo",
    "gateway.judging.incidents",
    "gateway.judging.overlay",
    "gateway.judging.pipeline",
    "gateway.judging.refused_copies",
    "gateway.judging.relayed_deletion",
    "gateway.judging.route",
    "gateway.judging.tracer",
    "gateway.senders.credentials",
    "gateway.senders.known_senders",
    "gateway.senders.question_caps",
    "gateway.senders.whoami",
    "gateway.state.hot.admit_arguments",
    "gateway.state.hot.breaker",
    "gateway.state.hot.cluster",
    "gateway.state.hot.fallback",
    "gateway.state.hot.flight",
    "gateway.state.hot.give_back",
    "gateway.state.hot.key_by_key",
    "gateway.state.hot.plan",
    "gateway.state.hot.replies",
    "gateway.state.hot.server_link",
    "gateway.state.hot.state_client",
    "gateway.state.hot.verified",
    "gateway.state.hot.wire",
    "gateway.state.model.keys",
    "gateway.state.model.ranges",
    "gateway.surfaces.bodies.bodies",
    "gateway.surfaces.bodies.conditions",
    "gateway.surfaces.bodies.content",
    "gateway.surfaces.bodies.id_place",
    "gateway.surfaces.bodies.json_place",
    "gateway.surfaces.bodies.multipart",
    "gateway.surfaces.bodies.when",
    "gateway.surfaces.comment",
    "gateway.surfaces.danmaku",
    "gateway.surfaces.deletion",
    "gateway.surfaces.each",
    "gateway.surfaces.formats.bilibili",
    "gateway.surfaces.formats.single",
    "gateway.surfaces.group",
    "gateway.surfaces.input.decoded",
    "gateway.surfaces.input.forms",
    "gateway.surfaces.input.pointer",
    "gateway.surfaces.input.reading",
    "gateway.surfaces.input.request",
    "gateway.surfaces.input.strict_json",
    "gateway.surfaces.kinds",
    "gateway.surfaces.profile",
    "gateway.surfaces.sources.cookies",
    "gateway.surfaces.sources.facts",
    "gateway.surfaces.sources.jwt",
    "gateway.surfaces.sources.playback",
    "gateway.surfaces.sources.sources",
    "gateway.surfaces.sources.vouched",
    "gateway.surfaces.surface",
    "gateway.tracing.trace",
    "gateway.websocket.boundary",
    "gateway.websocket.endings",
    "gateway.websocket.frames",
    "gateway.websocket.handshake",
    "gateway.websocket.opcodes",
    "gateway.websocket.origins",
)


def file_of(module: str) -> Path:
    """The shared object that would stand for ``module`` in this installation."""
    return _root().joinpath(*module.split(".")).with_suffix(EXTENSION_SUFFIXES[0])


def source_of(module: str) -> Path:
    """The source that it is built from."""
    return _root().joinpath(*module.split(".")).with_suffix(".py")


def built() -> list[str]:
    """The modules that are there as machine code."""
    return [module for module in MODULES if file_of(module).exists()]


def digests() -> str:
    """A line for each source: its SHA-256 and where it is, as ``sha256sum --check`` reads it."""
    return "".join(f"{_digest(module)}  {module.replace('.', '/')}.py\n" for module in MODULES)


def stale() -> list[str]:
    """Modules whose source is not what the library was built from: they would run as they were, not as they read."""
    built_from = set(sources().read_text(encoding="ascii").split()) if sources().exists() else set()
    return [module for module in built() if _digest(module) not in built_from]


def sources() -> Path:
    """What the library was built from, as ``digests`` gave it: times of files say nothing where one was unpacked."""
    return _root() / f"{LIBRARY}.sha256"


def _digest(module: str) -> str:
    return sha256(source_of(module).read_bytes()).hexdigest()


def described() -> str:
    """One line for people and records: pure Python, compiled, or what is wrong between the two."""
    there = built()
    if not there:
        return "pure Python"
    if len(there) < len(MODULES) or not file_of(LIBRARY).exists():
        return f"broken: {len(there)} of {len(MODULES)} modules compiled"
    old = stale()
    return f"compiled from older sources ({', '.join(old)})" if old else f"{len(there)} modules compiled"


def kind() -> str:
    """The same in one word, for a label: interpreted, compiled, stale (from older sources) or broken."""
    there = built()
    if not there:
        return "interpreted"
    if len(there) < len(MODULES) or not file_of(LIBRARY).exists():
        return "broken"
    return "stale" if stale() else "compiled"


def _root() -> Path:
    return Path(__file__).parents[2]
