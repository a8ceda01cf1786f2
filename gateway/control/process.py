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
from typing import Final, NamedTuple, cast

import structlog
from aiohttp import web

from filters.model.rule import Asks
from gateway.common import channel
from gateway.common.ending import end
from gateway.common.folders import Folders
from gateway.common.listening import listen
from gateway.common.metrics import Count
from gateway.config import Config, ConfigError
from gateway.config.sections import policies as policy_sections
from gateway.control.acts.authority import Authority
from gateway.control.acts.database import Database
from gateway.control.acts.ledger import Ledger
from gateway.control.acts.neighbours import Reloader
from gateway.control.acts.outbox import OutboxRelay
from gateway.control.acts.replay import unknown
from gateway.control.adapters.journal import JournalOfActs
from gateway.control.adapters.state import LocatedProjection
from gateway.control.adapters.supervisor import SupervisorSocket
from gateway.control.api.api import AccessLogger, application
from gateway.control.calls.call import BodyBounds, Services
from gateway.control.calls.feature import Running, Surroundings
from gateway.control.features import ENDPOINTS, FEATURES, GOVERNANCE
from gateway.control.node.auditing import Auditing
from gateway.control.node.confirming import Confirming
from gateway.control.node.health import Health
from gateway.control.node.pruning import Pruning
from gateway.control.people.people import People
from gateway.control.people.rows import Person
from gateway.control.traces.feature import sockets
from gateway.control.workers.totals import Totals
from gateway.control.workers.workers import Workers
from gateway.generation import conversion, generation
from gateway.generation.generation import Generation
from gateway.journal.retention.keeping import Keeping
from gateway.journal.retention.retention import Retention
from gateway.journal.write.ids import CONTROL, PROJECTOR, Ids
from gateway.journal.write.writer import Writer
from gateway.logs.access_log import END_WITHIN, AccessLog
from gateway.mirror.store.pulse import PulseReader
from gateway.state.cold.owner import myself

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


class ControlSockets(NamedTuple):
    """Descriptors of listening sockets; None where this process opens its own."""

    listen: int | None = None
    probes: int | None = None


NONE: Final = ControlSockets()


async def run(folders: Folders, *, stop: asyncio.Event, inherited: ControlSockets = NONE) -> None:
    """Serve until ``stop``. Raises ``CannotListen``, ``DatabaseInUse`` where control runs, ``NotOurs`` where state is
    another database's."""
    current = Current(folders)
    config = current().config
    loop = asyncio.get_running_loop()
    ids = Ids(config.server.node, CONTROL)
    async with AsyncExitStack() as stack:
        database = Database(folders.database(config))
        stack.callback(database.close)
        writer = Writer(
            folders.journal(config), f"node-{config.server.node}", CONTROL,
            ids=ids, settings=conversion.journal(config.journal), loop=loop,
        )  # fmt: skip
        writer.start()
        stack.callback(writer.close)
        owner = myself(database.origin, config.server.node, str(folders.database(config)))
        projection = LocatedProjection(config.state, folders.state, owner)
        stack.push_async_callback(projection.close)
        totals = Totals()
        workers = Workers(lambda: sockets(folders), totals, folders.projector_socket, folders.snapshot)
        authority = Authority()
        lacking = await asyncio.to_thread(unknown, database, [folders.journal(config)], f"node-{config.server.node}")
        if lacking:
            authority.journal = f"the control database lacks {len(lacking)} acts that the journal holds"
            authority.distrusted = frozenset(
                key for act in lacking for table, key in act.rows if table == Person.__tablename__
            )
        relay = OutboxRelay(
            database, JournalOfActs(writer), projection, GOVERNANCE,
            retry=config.control.relay_interval, authority=authority,
        )  # fmt: skip
        reloader = SupervisorSocket(folders.supervisor_socket)
        ledger = Ledger(
            database=database, relay=relay, workers=workers, reloader=reloader, governance=GOVERNANCE, ids=ids,
            authority=authority,
        )  # fmt: skip
        retention = Retention(config.journal.keep_at_most, config.journal.keep_at_least)
        node = f"node-{config.server.node}"
        living = partial(_living, folders)
        keeping = Keeping(writer, ids, folders.journal(config), node, living, retention)
        surroundings = Surroundings(folders, config, current, ledger, writer, ids, loop, stack, keeping.trusted_ns)
        features = [service for feature in FEATURES for service in feature.opened(surroundings)]
        mended = not authority.problem and await ledger.mend()
        confirming = Confirming(database, relay, projection, authority=authority)
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
            of_state=lambda: (str(confirming.not_ours or auditing.problem), auditing.note),
            clock=writer.clock,
            authority=authority,
        )
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
            metrics=config.metrics.enabled,
            ipv6_prefix=lambda: current().config.server.ipv6_prefix,
            features=(*features, health, auditing),
            lines_dropped=lambda: dropped.value,
        )
        # Once before anything is answered: a state server that starts empty is filled now.
        await confirming.look()
        if confirming.not_ours is not None:
            raise confirming.not_ours
        if not authority.problem:  # else workers go on with what they know, or read in state
            workers.offer(await database.run(GOVERNANCE.snapshot))
        pruning = Pruning(database, ledger, lambda: current().config.journal.keep_at_most, keeping.trusted_ns)
        rounds = (workers.keeper, confirming.rounds, auditing.rounds, keeping.rounds, pruning.rounds)
        parts = (relay, *(service for service in features if isinstance(service, Running)), *rounds)
        for part in parts:
            part.start()
            stack.push_async_callback(part.stop)
        if access is not None:
            stack.callback(access.close, END_WITHIN)
        app = application(
            services, services.of(People), ENDPOINTS, version=version("tidegate"), allow=config.control.allow
        )
        await _serve(stack, app, config, access, inherited.listen)
        if config.control.probes is not None:
            free = [endpoint for endpoint in ENDPOINTS if endpoint.open]
            probed = application(services, services.of(People), free, version=version("tidegate"), described=False)
            await _serve_probes(stack, probed, config.control.probes, access, inherited.probes)
        commands = await channel.serve(
            folders.control_socket, {"status": lambda _: {"ok": True, "state": confirming.failing or "ok"}}
        )
        stack.push_async_callback(commands.close)
        if mended:
            # What was compiled before is not what people said: of a crash, or of a version that wrote no such file.
            log.warning("lists.changes_mended")
            lists = asyncio.create_task(_recompile(reloader), name="reload of mended lists")
            stack.push_async_callback(end, [lists])
        log.info("control.serving", listen=config.control.listen)
        await stop.wait()


def _asked(current: Current) -> list[Asks]:
    """What the policies in force ask of state."""
    return [policy.asks for policy in policy_sections.build(current().config).values()]


async def _recompile(reloader: Reloader) -> None:
    reloaded = await reloader.reload()
    if not reloaded.ok:
        log.error("lists.not_recompiled", problems=reloaded.problems)


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
    await web.SockSite(runner, listener, ssl_context=context).start()


async def _serve_probes(
    stack: AsyncExitStack, app: web.Application, address: str, access: AccessLog | None, inherited: int | None
) -> None:
    """What needs no token, in plain HTTP: a balancer knows no certificate of ours, and nothing here is secret."""
    runner = web.AppRunner(app, access_log_class=AccessLogger, access_log=cast(logging.Logger, access))
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.SockSite(runner, _listener(address, "control.probes", inherited)).start()


def _listener(address: str, setting: str, inherited: int | None) -> socket.socket:
    return socket.socket(fileno=inherited) if inherited is not None else listen(address, setting=setting)


def _living(folders: Folders) -> frozenset[str]:
    """Writers of this node that look after their folders themselves: a worker has a socket until it is gone."""
    workers = (name.removeprefix("worker-") for name in sockets(folders))
    return frozenset({*workers, str(CONTROL), str(PROJECTOR)})
