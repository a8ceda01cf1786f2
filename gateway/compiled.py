"""Which modules can be compiled ahead of time (``make compiled``), and whether they are.

The list is the path of a message and of a socket's frame through a worker. What a module needs to be on it stands in
docs/compiled.md; everything else runs interpreted, whichever way the gateway was installed.
"""

from __future__ import annotations

from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Final

LIBRARY: Final = "tidegate__mypyc"
"""The one shared library that holds them all; each module beside its source is a door to it."""

MODULES: Final = (
    "filters.artifact",
    "filters.credit",
    "filters.folding",
    "filters.foldtables",
    "filters.keywords",
    "filters.limits",
    "filters.matcher",
    "filters.patterns",
    "filters.policy",
    "filters.repeats",
    "filters.rows",
    "filters.spans",
    "filters.window",
    "filters.wordlist",
    "gateway.answers",
    "gateway.arrival",
    "gateway.clock",
    "gateway.copies",
    "gateway.deletion",
    "gateway.gate",
    "gateway.http.address",
    "gateway.http.arriving_body",
    "gateway.http.balance",
    "gateway.http.call",
    "gateway.http.connection",
    "gateway.http.cors",
    "gateway.http.errors",
    "gateway.http.exchange",
    "gateway.http.failure",
    "gateway.http.fields",
    "gateway.http.forwarding",
    "gateway.http.framing",
    "gateway.http.head",
    "gateway.http.health",
    "gateway.http.override",
    "gateway.http.path",
    "gateway.http.peers",
    "gateway.http.pool",
    "gateway.http.problem",
    "gateway.http.router",
    "gateway.http.server",
    "gateway.http.server_protocol",
    "gateway.http.states",
    "gateway.http.sweep",
    "gateway.http.upstream",
    "gateway.journal.counters",
    "gateway.journal.encoding",
    "gateway.journal.ids",
    "gateway.journal.log",
    "gateway.journal.record",
    "gateway.journal.segments",
    "gateway.journal.upkeep",
    "gateway.journal.writer",
    "gateway.metrics",
    "gateway.overlay",
    "gateway.pipeline",
    "gateway.route",
    "gateway.state.breaker",
    "gateway.state.client",
    "gateway.state.cluster",
    "gateway.state.encoding",
    "gateway.state.facts",
    "gateway.state.fallback",
    "gateway.state.flight",
    "gateway.state.give_back",
    "gateway.state.keys",
    "gateway.state.link",
    "gateway.state.plan",
    "gateway.state.ranges",
    "gateway.state.wire",
    "gateway.surfaces.bodies",
    "gateway.surfaces.comment",
    "gateway.surfaces.conditions",
    "gateway.surfaces.content",
    "gateway.surfaces.cookies",
    "gateway.surfaces.danmaku",
    "gateway.surfaces.decoded",
    "gateway.surfaces.deletion",
    "gateway.surfaces.facts",
    "gateway.surfaces.formats.bilibili",
    "gateway.surfaces.formats.single",
    "gateway.surfaces.forms",
    "gateway.surfaces.group",
    "gateway.surfaces.id_place",
    "gateway.surfaces.json_place",
    "gateway.surfaces.jwt",
    "gateway.surfaces.multipart",
    "gateway.surfaces.playback",
    "gateway.surfaces.pointer",
    "gateway.surfaces.reading",
    "gateway.surfaces.request",
    "gateway.surfaces.sources",
    "gateway.surfaces.strict_json",
    "gateway.surfaces.surface",
    "gateway.surfaces.vouched",
    "gateway.websocket.accept",
    "gateway.websocket.boundary",
    "gateway.websocket.endings",
    "gateway.websocket.frames",
    "gateway.websocket.handshake",
    "gateway.websocket.judged",
    "gateway.websocket.link",
    "gateway.websocket.liveness",
    "gateway.websocket.mute",
    "gateway.websocket.notices",
    "gateway.websocket.opcodes",
    "gateway.websocket.origins",
    "gateway.websocket.session",
    "gateway.websocket.sockets",
    "gateway.websocket.standing",
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


def stale() -> list[str]:
    """Modules whose source is newer than the library: they would run as they were, not as they read."""
    library = file_of(LIBRARY)
    made = library.stat().st_mtime if library.exists() else 0.0
    return [module for module in built() if source_of(module).stat().st_mtime > made]


def described() -> str:
    """One line for people and records: pure Python, compiled, or what is wrong between the two."""
    there = built()
    if not there:
        return "pure Python"
    if len(there) < len(MODULES) or not file_of(LIBRARY).exists():
        return f"broken: {len(there)} of {len(MODULES)} modules compiled"
    old = stale()
    return f"compiled from older sources ({', '.join(old)})" if old else f"{len(there)} modules compiled"


def _root() -> Path:
    return Path(__file__).parent.parent
