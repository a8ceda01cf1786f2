"""The only wiring: from a generation to the objects of one worker, and from one generation to the next.

A reload builds everything that the new generation needs aside, and only then swaps: the router as one reference, the
settings of upstreams that stay in place, so that their connections and their health outlive the reload. What fails on
the way leaves the old generation untouched (law 9).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from filters.lists.wordlist import of_words
from filters.reading.keywords import AnyList, Scanner
from gateway.appeals.appeals_relay import AppealsRelay
from gateway.carriers.requests import Gate
from gateway.carriers.sockets import Sockets
from gateway.common import channel
from gateway.common.folders import Folders
from gateway.common.metrics import ALARMING, AnswerCounts, Count, WorkerMetrics, from_zero
from gateway.common.sweep import Sweep
from gateway.config import Config
from gateway.generation import conversion
from gateway.generation.generation import Generation
from gateway.http.server.router import Router
from gateway.http.server.server import Server
from gateway.http.upstream.upstream import Upstream
from gateway.http.wire.path import parse_template
from gateway.journal.write.counters import APPEND_BOUNDS, LEFT_FOR
from gateway.journal.write.ids import Ids
from gateway.journal.write.writer import Writer
from gateway.judging import overlay
from gateway.judging.hold import Holding
from gateway.judging.pipeline import Pipeline
from gateway.judging.refused_copies import fingerprints
from gateway.judging.route import Relayed, Route
from gateway.logs.access_log import END_WITHIN, AccessLog
from gateway.mirror.pages.pages import Pages
from gateway.mirror.serving.access import Access, Guard
from gateway.mirror.serving.mirror_files import MirrorFiles
from gateway.mirror.serving.site import MirrorSite
from gateway.mirror.store.pulse import PulseReader
from gateway.parking.seal import Seal
from gateway.parking.spool import Spool, tidied
from gateway.parking.status_site import Became, StatusSite
from gateway.parking.waiting import KnownWaiting
from gateway.senders.directory import SenderDirectory
from gateway.state import connecting
from gateway.state.cold import kept_snapshot
from gateway.state.hot.state_client import StateClient
from gateway.state.model.snapshot import Snapshot, decode
from gateway.tracing.trace import Finished
from gateway.words.files import folding_tables, load_artifact
from gateway.worker import targets, tracing
from gateway.worker.access_lines import AccessLines
from gateway.worker.hearing import Hearing
from gateway.worker.listeners import Listeners, certificates
from gateway.worker.state_watch import StateWatch
from gateway.worker.upstream_notes import changed, failed, take_failures

log = structlog.get_logger()

STATUS_WITHIN = 2.0  # seconds in which control says what became of a message


class App:
    """Everything of one worker that outlives a reload, and the generation in force."""

    def __init__(
        self, folders: Folders, number: int, config: Config, state: StateClient, journal: Writer, ids: Ids,
        salt: bytes = b"",
    ) -> None:  # fmt: skip
        loop = asyncio.get_running_loop()
        self._folders = folders
        self._number = number
        self._park = folders.park / str(number)
        self._loop = loop
        self._config = config
        self._ids = ids
        self.salt = salt
        self._state = state
        self._journal = journal
        self._sweep = Sweep(loop)
        self._upstreams: dict[str, Upstream] = {}
        self._appellants: Upstream | None = None  # where they are passed on to
        self._retired: list[tuple[str, Upstream]] = []
        self._snapshot: Snapshot | None = None
        self._hearing = Hearing(config.state, folders.state, state, self._on_notice)
        self.waiting = KnownWaiting(lambda file: (self._park / file).exists())
        self._spool: Spool | None = None
        self._status_asked: set[asyncio.Task[None]] = set()
        self.metrics = WorkerMetrics(config.metrics.buckets)
        state.observe = self._asked
        self._pipeline = Pipeline(state, journal, self.metrics, loop)
        journal.tells_waiting(self._pipeline.delays.ids)
        self._pulse = PulseReader(folders.pulse)
        self._sockets = Sockets(self._pipeline, self.metrics.refused_requests, self.metrics.socket_ends, self._sweep)
        self._gate = Gate(self._pipeline, self.metrics.refused_requests, Router([]), None, self._sockets)
        self._server = Server(self._gate, conversion.server(config.server), self._sweep)
        self._pipeline.read_for = self._server.read_for
        self._senders = SenderDirectory(salt, self.metrics.senders)
        self._gate.senders = self._senders
        self._access: AccessLines | None = None
        self._used_tickets: dict[int, str] = {}  # ticket -> the message that is on its way with it
        self.finished = Finished()
        self._lines_dropped = Count()  # by the access logs of all generations
        self.listeners = Listeners(self._server, self._sweep)
        self._sweep.watch(self._flush_access)
        self._sweep.watch(self._senders.look)
        self._sweep.watch(StateWatch(lambda: self._state.problem).look)
        self._gauges()

    @classmethod
    async def start(cls, folders: Folders, number: int, generation: Generation) -> App:
        """Open journal and state, and build the first generation."""
        config = generation.config
        loop = asyncio.get_running_loop()
        ids = Ids(config.server.node, number)
        journal = Writer(
            folders.journal(config), f"node-{config.server.node}", number,
            ids=ids, settings=conversion.journal(config.journal), loop=loop,
        )  # fmt: skip
        journal.start()
        state = connecting.client(config.state, folders.state, on_batch=journal.flush)
        salt = conversion.salt(config.server, folders.salt)
        app = cls(folders, number, config, state, journal, ids, salt)
        await app.load(generation, first=True)
        # Before any socket opens: what people switched on must not wait for state to say so.
        kept = kept_snapshot.kept(folders.snapshot)
        if kept is not None:
            app._take(kept)
        await state.start()
        app._hearing.start()
        return app

    async def load(self, generation: Generation, *, first: bool = False) -> None:
        """Build what the generation needs, then swap. Whatever is raised, nothing has changed.

        ``first``: there is no last good certificate to stay with; those that cannot be used are gone without.
        """
        config = generation.config
        # Lists first, and in a thread: a million words take a quarter of a second to read.
        lists = await asyncio.to_thread(_read_lists, generation.artifacts)
        settings = {
            name: conversion.upstream(name, section, wanting=first) for name, section in config.upstreams.items()
        }
        upstreams = {
            name: self._upstreams.get(name)
            or Upstream(wanted, self._loop, self._sweep, partial(changed, name), partial(failed, name))
            for name, wanted in settings.items()
        }
        sentences = conversion.sentences(config.sentences)
        shown = certificates(config, wanting=first)
        access: AccessLog | None = None
        try:
            access = self._access_log(config)  # anew, whatever it was: it may have been rotated away
            asked = targets.asked(config, upstreams)
            platforms = self._senders.build(asked)
            whoamis = {name: platforms[one] for name, one in asked.items()}
            made = targets.targets(self, config, lists, upstreams, whoamis)
            router = Router(made, targets.guarded, targets.sealed, targets.judged)
        except Exception:  # raised again; what was opened for a generation that never comes would stay open
            for name, upstream in upstreams.items():
                if name not in self._upstreams:
                    upstream.close()
            if access is not None:
                access.close()
            raise
        gone = [(name, upstream) for name, upstream in self._upstreams.items() if name not in upstreams]
        for name, upstream in upstreams.items():
            upstream.apply(settings[name])
        self._upstreams = upstreams
        self._config = config
        self._gate.router = router
        self._sockets.routes = {route.name: route for _, route in made if isinstance(route, Route)}
        self._gate.languages = {route.name: route.language for route in config.routes if route.language is not None}
        self._senders.swap(platforms)
        self._listen_for_log_outs(config)
        self._server.sentences = self._sockets.sentences = sentences
        answers = AnswerCounts(self.metrics.relayed, "")
        self._gate.unmatched = _unmatched(config, upstreams, answers)
        self._gate.unmatched_hosts = _unmatched_hosts(config, upstreams, answers)
        self._gate.only_reading = config.server.unmatched == "read"
        self._gate.mirror = self._mirror(config, upstreams)
        self._gate.appeals = self._appeals(config)
        self._review(config)
        self._server.configure(conversion.server(config.server, config.traces is not None))
        self._gate.max_queueing = config.server.max_queueing
        self._gate.traces = tracing.named(config)
        before = self._access
        paths = {route.name: route.template.address for route in config.routes}
        lines = self._access = AccessLines(access, router, paths) if access is not None else None
        self.listeners.take(shown)
        if before is not None:
            before.log.close()
        tracer = self._gate.tracer = self._sockets.tracer = tracing.tracer(config, self.finished, router, paths)
        self._server.on_answered = tracing.both(
            lines.answered if lines is not None else None, tracer.answered if tracer is not None else None
        )
        self._server.on_refused = lines.refused if lines is not None else None
        self._sockets.on_ended = lines.ended if lines is not None else None
        if self._snapshot is not None:
            self._switch(self._snapshot)
        for _, upstream in gone:
            upstream.retire()
        self._count_failures()
        self._retired = [(name, upstream) for name, upstream in self._retired if not upstream.resting] + gone

    def _listen_for_log_outs(self, config: Config) -> None:
        """From the first generation on in which anything ends with one."""
        if self._hearing.feed is None and self._senders.hears:
            feed = self._senders.feed = self._hearing.log_outs(self._senders.heard, self._senders.missed)
            self._sweep.watch(feed.look)

    def _asked(self, messages: int, seconds: float) -> None:
        self.metrics.asked(messages, seconds)
        self._server.queueing.asked(messages, seconds)

    def _mirror(self, config: Config, upstreams: Mapping[str, Upstream]) -> MirrorSite | None:
        mirror = config.mirror
        if mirror is None:
            return None
        mirrored = [route for route in config.routes if route.mirrored]
        guards = [
            Guard(
                route.name,
                upstreams[route.upstream],
                parse_template(route.access),
                conversion.asked_host(config, route, route.access),
            )
            for route in mirrored
            if route.access
        ]
        known = [route.name for route in mirrored]
        access = Access(guards, known, mirror.access_cache) if guards else None
        pages = Pages(mirror.language, mirror.path, max((route.delay for route in mirrored), default=0.0))
        return MirrorSite(
            mirror.path, MirrorFiles(self._folders.mirror(config), mirror.path, pages, mirror.max_age, access)
        )

    def _appeals(self, config: Config) -> AppealsRelay | None:
        """Control's own small server is no upstream of the configuration; it outlives every reload."""
        if config.appeals is None:
            return None
        if self._appellants is None:
            settings = conversion.appeals_upstream(self._folders.appeals_socket)
            self._appellants = Upstream(settings, self._loop, self._sweep, partial(changed, settings.name))
        return AppealsRelay(config.appeals.path.encode(), self._appellants)

    def _review(self, config: Config) -> None:
        """From this generation on messages are held by its settings, and sealed with its key."""
        delays = {route.name: route.delay for route in config.routes}
        if config.review is None:
            self._pipeline.holding = self._gate.review = None
            self._pipeline.delays.configure(None, delays)
            return
        settings = conversion.review(config.review)
        self._pipeline.delays.configure(settings, delays)
        seal = Seal(settings.key, settings.previous_keys)
        if self._spool is None:
            self._spool = Spool(self._park, seal, self._loop)
            tidied(self._spool.folder)
        self._spool.seal = seal
        self._pipeline.holding = Holding(settings, self._spool, self.waiting)
        codes = conversion.appeal_codes(config.appeals, self.salt)
        appeals = {
            route.name: conversion.appeal_address(config, route.policy, codes)
            for route in config.routes
            if route.judged
        }
        self._gate.review = StatusSite(settings.path, seal, self._became, self._status_asked, appeals)

    async def _became(self, message_id: str, withdraws: bool) -> Became:
        """What control says became of a message that was held; ``withdraws``: where its sender does not want it any
        more."""
        question = {"command": "review.withdraw" if withdraws else "review.status", "id": message_id}
        answer = await channel.call(self._folders.control_socket, question, STATUS_WITHIN)
        if "error" in answer:
            raise channel.ChannelError("refused")
        return Became(*(str(answer.get(name, "")) for name in Became._fields))

    def mirror_fresh(self, config: Config) -> Callable[[], bool]:
        """What danmaku routes ask before each bullet: without a mirror that keeps up none goes on (law 6)."""
        return partial(self._pulse.fresh, config.mirror.max_lag) if config.mirror is not None else bool

    @property
    def protocol(self) -> Any:
        """Makes the protocol of each accepted connection."""
        return self._server.protocol

    @property
    def ids(self) -> Ids:
        """Where the ids of messages come from."""
        return self._ids

    @property
    def state_problem(self) -> str:
        """Why state cannot be asked; empty where it can."""
        return self._state.problem

    @property
    def snapshot_version(self) -> int:
        """The version of the switches in force; -1 before the first, which says that there is nothing, and is 0."""
        return self._snapshot.version if self._snapshot is not None else -1

    def on_snapshot(self, document: Mapping[str, Any]) -> None:
        """Control's push; older than what is in force it is ignored. Raises ``ValueError`` where it is no snapshot."""
        rows = decode(document)
        if rows.version > self.snapshot_version:
            self._take(Snapshot(rows))

    def _on_notice(self, snapshot: Snapshot) -> None:
        # Control pushes and state tells: whichever comes first is in force, and an older one changes nothing.
        if snapshot.version > self.snapshot_version:
            self._take(snapshot)

    def _take(self, snapshot: Snapshot) -> None:
        self._switch(snapshot)
        self._state.on_snapshot(snapshot)
        self._snapshot = snapshot

    def _switch(self, snapshot: Snapshot) -> None:
        self._pipeline.overlay = overlay.build(snapshot.rows, _urgent, _prints, self._used_tickets)
        self._pipeline.delays.unwanted(snapshot.rows.unwanted)
        self._pipeline.delays.switched()
        self._sockets.on_snapshot(snapshot, self._pipeline.overlay)

    def status(self) -> dict[str, Any]:
        """What readiness looks at."""
        return {
            "snapshot": self.snapshot_version,
            "waiting": self.waiting.version,
            "connections": len(self._server.connections),
            "shedding": self._server.queueing.shedding,
            "journal": {
                "available": self._journal.available,
                "ready": self._journal.ready,
                "left": self._journal.counters.left,
            },
            "state": {
                "problem": self._state.problem,
                "epoch": self._state.epoch,
                "lost": self._state.fallback.lost,
            },
        }

    def counters(self) -> dict[str, Any]:
        """Everything counted, for ``/metrics``."""
        self._count_failures()
        journal = self._journal.counters
        counted = self.metrics.told(
            {
                "tidegate_journal_append_seconds": {
                    "bounds": APPEND_BOUNDS,
                    "series": [[[], journal.append_buckets, journal.append_seconds]],
                },
                "tidegate_journal_unknown_total": {"series": [[[], journal.unknown]]},
                "tidegate_turn_waits_total": {"series": [[[], self._server.turns.stops]]},
                "tidegate_turn_holds_total": {"series": [[[], self._server.turns.held]]},
                "tidegate_journal_unclean_total": {"series": [[[], journal.unclean]]},
                "tidegate_journal_segments_left_total": from_zero((), LEFT_FOR, journal.left),
                "tidegate_access_lines_dropped_total": {"series": [[[], self._lines_dropped.value]]},
                "tidegate_delayed_total": self._pipeline.delays.became.told(),
                "tidegate_traces_lost_total": {"series": [[[], self.finished.lost]]},
                "tidegate_upstream_server_out": {"series": self._servers_out()},
            }
        )
        # What the connections refused by themselves, before there was a route.
        refused = counted["metrics"]["tidegate_refused_requests_total"]["series"]
        refused += from_zero(("",), ALARMING, self._server.refusals)["series"]
        return counted

    @property
    def busy(self) -> bool:
        """Whether anything is open, or amid its beginning."""
        delays = self._pipeline.delays
        return bool(
            self._server.connections or self._sockets.links or self.listeners.beginning
            or delays.waiting or delays.under_way
        )  # fmt: skip

    def leave(self) -> None:
        """Accept no more; what is open goes on until it ends, requests with the next answer."""
        self.listeners.leave()
        self._server.retire()

    async def drain(self, at_most: float) -> None:
        """Finish what is under way within ``server.drain``, and no later than ``at_most`` seconds."""
        seconds = min(at_most, self._config.server.drain)
        delays = self._pipeline.delays
        await asyncio.gather(self._server.drain(seconds), self._sockets.drain(seconds), delays.drain(seconds))
        delays.end()

    async def stop(self) -> None:
        """Close upstreams, state and, last, the journal: outcomes are recorded to the end."""
        for _, upstream in self._known_upstreams():
            upstream.close()
        if self._appellants is not None:
            self._appellants.close()
        await self._hearing.close()
        await asyncio.sleep(0)  # what closing failed is recorded in its own turn
        if self._access is not None:
            self._access.log.close(END_WITHIN)
        await self._state.close()
        if self._spool is not None:
            self._spool.close()
        self._journal.close()

    def _known_upstreams(self) -> list[tuple[str, Upstream]]:
        """Those in force, and those that a reload took away while something was under way."""
        return [*self._upstreams.items(), *self._retired]

    def _count_failures(self) -> None:
        for name, upstream in self._known_upstreams():
            take_failures(self.metrics.upstream_failures, name, upstream)

    def _access_log(self, config: Config) -> AccessLog | None:
        return conversion.access_log(config, f"worker-{self._number}", self._lines_dropped)

    def _servers_out(self) -> list[list[Any]]:
        known = ((name, each.out()) for name, each in self._upstreams.items())
        return [[[name, server], int(out)] for name, servers in known for server, out in servers.items()]

    def _flush_access(self, now: float = 0.0) -> None:
        if self._access is not None:
            self._access.log.flush()

    def _gauges(self) -> None:
        gauge = self.metrics.gauge
        gauge("tidegate_state_breaker_open", lambda: self._state.breakers_open)
        gauge("tidegate_state_away", lambda: int(self._state.problem != ""))
        gauge("tidegate_connections", lambda: len(self._server.connections))
        gauge("tidegate_sockets", lambda: len(self._sockets.links))
        gauge("tidegate_delayed", lambda: self._pipeline.delays.waiting)
        gauge("tidegate_senders_known", self._senders.known)
        gauge("tidegate_sender_questions", self._senders.asking)
        gauge("tidegate_journal_lag_seconds", self._journal.lag)
        gauge("tidegate_queueing_seconds", lambda: self._server.queueing.delay)
        gauge("tidegate_certificate_expiry_seconds", self.listeners.first_expiry)
        gauge(
            "tidegate_upstream_connections",
            lambda: sum(len(pool.connections) for _, upstream in self._known_upstreams() for pool in upstream.pools),
        )


def _read_lists(artifacts: Mapping[str, Path]) -> dict[str, AnyList]:
    tables = folding_tables()
    lists = {name: load_artifact(path, tables) for name, path in artifacts.items()}
    for each in lists.values():
        each.folder.prepare()  # here, in a thread, and not when the loop makes a scanner
    return lists


def _urgent(words: Sequence[str]) -> Scanner:
    return Scanner([of_words(words, folding_tables())], markup="html")  # on every route, which they do not know


def _prints() -> Scanner:
    return fingerprints(folding_tables())


def _unmatched(config: Config, upstreams: Mapping[str, Upstream], answers: AnswerCounts) -> Relayed | None:
    if config.server.unmatched == "refuse":
        return None
    name = config.server.unmatched_upstream or next(iter(config.upstreams))
    return Relayed("", upstreams[name], answers=answers)


def _unmatched_hosts(config: Config, upstreams: Mapping[str, Upstream], answers: AnswerCounts) -> dict[bytes, Relayed]:
    """What no route matches, by host: what the configuration says, and where all routes of the host go."""
    if config.server.unmatched == "refuse":
        return {}
    named: dict[bytes, set[str]] = {}
    for route in config.routes:
        if route.template.host:
            named.setdefault(route.template.host, set()).add(route.upstream)
    chosen = {host: next(iter(names)) for host, names in named.items() if len(names) == 1}
    chosen |= {host.encode(): name for host, name in config.server.unmatched_hosts.items()}
    return {host: Relayed("", upstreams[name], answers=answers) for host, name in chosen.items()}
