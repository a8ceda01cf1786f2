"""The control process: ``python -m gateway.control --data-dir D``, started by the supervisor.

The only wiring of control: from the generation in force to database, journal, state, workers and the API. What the
configuration says of control itself is read at start; lists and routes are read from the generation in force whenever
they are needed, so that a reload needs nothing here.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import time
from contextlib import AsyncExitStack
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple, cast
from uuid import uuid4

import structlog
from aiohttp import web

from filters.model.rule import Asks
from gateway.common import channel
from gateway.common.folders import Folders
from gateway.common.listening import listen
from gateway.common.metrics import Count
from gateway.config import Config, ConfigError
from gateway.config.sections import policies as policy_sections
from gateway.control.acts.authority import Authority
from gateway.control.acts.database import Database
from gateway.control.acts.ledger import Ledger
from gateway.control.acts.outbox import OutboxRelay
from gateway.control.adapters.journal import JournalOfActs
from gateway.control.adapters.state import LocatedProjection
from gateway.control.adapters.supervisor import SupervisorSocket
from gateway.control.api.api import AccessLogger, application
from gateway.control.calls.call import BodyBounds, Services
from gateway.control.calls.connections import serve
from gateway.control.calls.feature import Beginning, Commanded, Running, Surroundings
from gateway.control.coming_up import ComingUp
from gateway.control.console.console_pages import PAGES
from gateway.control.console.shell.console_site import ConsoleSite
from gateway.control.features import ENDED, ENDPOINTS, FEATURES, GOVERNANCE
from gateway.control.node.auditing import Auditing
from gateway.control.node.confirming import Confirming
from gateway.control.node.database_watch import DatabaseWatch
from gateway.control.node.health import Health
from gateway.control.node.pruning import Pruning
from gateway.control.nodes.clock_skew import ClockSkew
from gateway.control.nodes.leading import Leading
from gateway.control.nodes.noticing import Noticing
from gateway.control.nodes.presence import Presence, ServedGeneration
from gateway.control.nodes.registering import this_node
from gateway.control.people.people import People
from gateway.control.traces.feature import sockets
from gateway.control.workers.totals import Totals
from gateway.control.workers.workers import Workers
from gateway.generation import conversion, generation
from gateway.generation.generation import Generation, compiled
from gateway.journal.retention.keeping import Keeping
from gateway.journal.retention.retention import Retention
from gateway.journal.write.ids import CONTROL, NODE_AT, NODE_DIGITS, PROJECTOR, Ids, node_digits
from gateway.journal.write.writer import Writer
from gateway.logs.access_log import END_WITHIN, AccessLog
from gateway.mirror.store.pulse import PulseReader

log = structlog.get_logger()


class Current:
    """The generation in force, read again when its number changes. One that cannot be read is of a newer version that
    is about to take our place: the one before serves until then."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._held = generation.load(folders, folders.current())
        self._unreadable = 0

    def __call__(self) -> Generation:
        number = self._folders.current()
        if number not in (self._held.number, self._unreadable):
            try:
                self._held = generation.load(self._folders, number)
            except (ConfigError, OSError, ValueError, KeyError, TypeError) as error:
                self._unreadable = number
                log.error("generation.kept", generation=self._held.number, problem=type(error).__name__)
        return self._held


class ServedHere:
    """The generation in force, and the digest of what it judges by, which nodes with one configuration share."""

    def __init__(self, folders: Folders, current: Current) -> None:
        self._folders = folders
        self._current = current
        self._held = ServedGeneration(0, "")

    def __call__(self) -> ServedGeneration:
        found = self._current()
        if found.number != self._held.generation:
            self._held = ServedGeneration(found.number, compiled(found), self._folders.current_since())
        return self._held


class ControlSockets(NamedTuple):
    """Descriptors of listening sockets; None where this process opens its own."""

    listen: int | None = None
    probes: int | None = None


NONE: Final = ControlSockets()


async def run(folders: Folders, *, stop: asyncio.Event, inherited: ControlSockets = NONE) -> None:
    """Serve until ``stop``. Raises ``CannotListen``, ``DatabaseInUse`` where control runs, ``NotOurs`` where state is
    another database's. A database that is a server's may be away, or served by another control: what needs no
    database is served meanwhile, and the rest as soon as it is there."""
    current = Current(folders)
    config = current().config
    loop = asyncio.get_running_loop()
    ids = Ids(config.server.node, CONTROL)
    async with AsyncExitStack() as stack:
        place = folders.database(config)
        database = Database(place, opened=isinstance(place, Path), serving=True)
        stack.callback(database.close)
        writer = Writer(
            folders.journal(config), f"node-{config.server.node}", CONTROL,
            ids=ids, settings=conversion.journal(config.journal), loop=loop,
        )  # fmt: skip
        writer.start()
        stack.callback(writer.close)
        projection = LocatedProjection(config.state, folders.state)
        stack.push_async_callback(projection.close)
        totals = Totals()
        workers = Workers(lambda: sockets(folders), totals, folders.projector_socket, folders.snapshot,
                          folders.replicator_socket)  # fmt: skip
        authority = Authority()
        here = this_node(config, folders)
        skew = ClockSkew(lambda: current().config.server.max_skew)
        presence = Presence(database, here, ServedHere(folders, current), Leading(f"{here.number}:{uuid4()}"), skew)
        relay = OutboxRelay(
            database, JournalOfActs(writer), projection, GOVERNANCE,
            retry=config.control.relay_interval, authority=authority,
            records=None if isinstance(place, Path) else presence.records,
        )  # fmt: skip
        reloader = SupervisorSocket(folders.supervisor_socket)
        ledger = Ledger(
            database=database, relay=relay, workers=workers, reloader=reloader, governance=GOVERNANCE, ids=ids,
            authority=authority,
        )  # fmt: skip
        ledger.leads = presence.leads
        retention = Retention(config.journal.keep_at_most, config.journal.keep_at_least)
        node = f"node-{config.server.node}"
        living = partial(_living, folders)
        keeping = Keeping(writer, ids, folders.journal(config), node, living, retention)
        surroundings = Surroundings(folders, config, current, ledger, writer, ids, loop, stack, keeping.trusted_ns)
        features = [service for feature in FEATURES for service in feature.opened(surroundings)]
        confirming = Confirming(database, relay, projection, authority=authority, leads=presence.leads)
        auditing = Auditing(ledger, projection, workers.lost, partial(_asked, current))
        health = Health(
            database=database,
            relay=relay,
            projection=projection,
            workers=workers,
            reloader=reloader,
            journal=folders.journal(config),
            low_disk=config.journal.low_disk,
            full_disk=config.journal.full_disk,
            of_state=lambda: (str(confirming.not_ours or auditing.problem), auditing.note or confirming.note),
            of_node=lambda: presence.note,
            clock=writer.clock,
            skew=skew,
            authority=authority,
            replicator=folders.replicator_socket if conversion.peers(config) else None,
        )
        noticing = Noticing(ledger, lambda uid: uid[NODE_AT : NODE_AT + NODE_DIGITS] == node_digits(here.number))
        first = ComingUp(
            database, config, folders, ledger, projection, confirming, workers, reloader,
            [service for service in features if isinstance(service, Beginning)], presence, noticing,
        )  # fmt: skip
        watch = DatabaseWatch(database, first.come_up, presence.beat)
        ledger.revive = watch.revive
        authority.looked = lambda: watch.seen == database.lives
        dropped = Count()
        access = conversion.access_log(config, "control", dropped)
        services = Services(
            database=database,
            ledger=ledger,
            workers=workers,
            totals=totals,
            projection=projection,
            reloader=reloader,
            route_names=lambda: frozenset(route.name for route in current().config.routes),
            mirror_lag=partial(_mirror_lag, PulseReader(folders.pulse), current),
            mirror_max_lag=lambda: mirror.max_lag if (mirror := current().config.mirror) is not None else None,
            bounds=BodyBounds(config.control.max_body, config.control.max_import),
            endpoints=ENDPOINTS,
            metrics=config.metrics.enabled,
            ipv6_prefix=lambda: current().config.server.ipv6_prefix,
            features=(*features, health, auditing, confirming, watch),
            lines_dropped=lambda: dropped.value,
            admit=watch.admit,
        )
        if isinstance(place, Path):
            await watch.revive()
        else:
            await watch.look()
        if watch.fatal is not None:
            raise watch.fatal
        projection.watch(confirming.rounds.kick)
        pruning = Pruning(database, ledger, lambda: current().config.journal.keep_at_most, keeping.trusted_ns, ENDED)
        for part in (workers.keeper, keeping.rounds, watch.rounds):
            part.start()
            stack.push_async_callback(part.stop)
        first.after = (
            relay, noticing, *(service for service in features if isinstance(service, Running)),
            confirming.rounds, auditing.rounds, pruning.rounds,
        )  # fmt: skip
        stack.push_async_callback(presence.leave)
        stack.push_async_callback(first.stop)
        if watch.up:
            first.start()
        if access is not None:
            stack.callback(access.close, END_WITHIN)
        app = application(
            services, services.of(People), ENDPOINTS, version=version("tidegate"), allow=config.control.allow,
            pages=ConsoleSite(services, PAGES).routes() if config.console.enabled else (),
        )  # fmt: skip
        await _serve(stack, app, config, access, inherited.listen)
        if config.control.probes is not None:
            free = [endpoint for endpoint in ENDPOINTS if endpoint.open]
            probed = application(services, services.of(People), free, version=version("tidegate"), described=False)
            await _serve_probes(stack, probed, config, access, inherited.probes)
        handlers: dict[str, channel.Handler] = {"status": lambda _: {"ok": True, "state": confirming.failing or "ok"}}
        for service in features:
            if isinstance(service, Commanded):
                handlers |= service.commands()
        commands = await channel.serve(folders.control_socket, handlers)
        stack.push_async_callback(commands.close)
        first.recompile()
        log.info("control.serving", listen=config.control.listen)
        await _either(stop, watch.ended)
        if watch.fatal is not None:
            raise watch.fatal


async def _either(*events: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()


def _asked(current: Current) -> list[Asks]:
    """What the policies in force ask of state."""
    return [policy.asks for policy in policy_sections.build(current().config).values()]


def _mirror_lag(pulse: PulseReader, current: Current) -> float | None:
    """Age of the static version's watermark in seconds; None where there is no mirror, or none since the
    machine started."""
    beat = pulse.beat() if current().config.mirror is not None else None
    return max(0.0, time.monotonic() - beat.watermark) if beat is not None else None


async def _serve(
    stack: AsyncExitStack, app: web.Application, config: Config, access: AccessLog | None, inherited: int | None
) -> None:
    section = config.control
    context: ssl.SSLContext | None = None
    if section.certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(section.certificate, section.key)
    runner = web.AppRunner(app, access_log_class=AccessLogger, access_log=cast(logging.Logger, access))
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    listener = _listener(section.listen, "control.listen", inherited)
    await serve(runner, listener, section.max_connections, section.idle_timeout, context)


async def _serve_probes(
    stack: AsyncExitStack, app: web.Application, config: Config, access: AccessLog | None, inherited: int | None
) -> None:
    """What needs no token, in plain HTTP: a balancer knows no certificate of ours, and nothing here is secret."""
    runner = web.AppRunner(app, access_log_class=AccessLogger, access_log=cast(logging.Logger, access))
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    section = config.control
    assert section.probes is not None
    listener = _listener(section.probes, "control.probes", inherited)
    await serve(runner, listener, section.max_connections, section.idle_timeout)


def _listener(address: str, setting: str, inherited: int | None) -> socket.socket:
    return socket.socket(fileno=inherited) if inherited is not None else listen(address, setting=setting)


def _living(folders: Folders) -> frozenset[str]:
    """Writers of this node that look after their folders themselves: a worker has a socket until it is gone."""
    workers = (name.removeprefix("worker-") for name in sockets(folders))
    return frozenset({*workers, str(CONTROL), str(PROJECTOR)})
