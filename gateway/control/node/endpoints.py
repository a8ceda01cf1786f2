"""The node itself: rebuild, health, metrics, and the description of all this."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from aiohttp import web

from gateway.common.channel import ChannelError
from gateway.control.acts.acts import Unit
from gateway.control.acts.authority import DatabaseBehind
from gateway.control.acts.governance import SNAPSHOT_VERSION
from gateway.control.acts.refusal import ControlError, DatabaseUnavailable
from gateway.control.acts.rows import Mark
from gateway.control.calls.call import Call, Services, done
from gateway.control.calls.feature import Measured
from gateway.control.calls.schemas import Done, NoQuery, Reasoned
from gateway.control.node import collector, processes, state_rebuild
from gateway.control.node.health import Health
from gateway.control.node.schemas import Alive, Claimed, Ready, Rebuilt
from gateway.control.workers.totals import Series
from gateway.state.cold.owner import NotOurs


async def rebuild_state(call: Call[Reasoned, NoQuery]) -> Done[Rebuilt]:
    """Write state's governance data anew from the database."""
    services = call.services
    outcome = await call.act(call.body.reason, "state.rebuild", "state", _nothing)
    try:
        async with services.ledger.relay.paused():
            rebuilt = await state_rebuild.rebuild(services.database, services.projection, services.ledger.governance)
    except NotOurs as error:
        raise ControlError(409, "control.state_not_ours", f"{error}.") from error
    except DatabaseBehind as error:
        raise ControlError(503, "control.database_behind", f"{error}.") from error
    except DatabaseUnavailable:
        raise
    except Exception as error:  # of state or of the database: the act stands, and whoever asked is told to ask again
        raise ControlError(503, "control.state_unavailable", "State could not be written; try again.") from error
    return done(outcome, rebuilt)


async def claim_state(call: Call[Reasoned, NoQuery]) -> Done[Claimed]:
    """Make state this database's, whosever it was, and write everything anew."""
    services = call.services
    outcome = await call.act(call.body.reason, "state.claim", "state", _nothing)
    try:
        async with services.ledger.relay.paused():
            claimed = await state_rebuild.claim(services.database, services.projection, services.ledger.governance)
    except DatabaseUnavailable:
        raise
    except Exception as error:  # as above
        raise ControlError(503, "control.state_unavailable", "State could not be written; try again.") from error
    services.ledger.authority.settled()
    services.ledger.relay.kick()
    return done(outcome, claimed)


async def alive(call: Call[None, NoQuery]) -> Alive:
    return Alive()


async def ready(call: Call[None, NoQuery]) -> web.StreamResponse:
    """200 where this node may get traffic, else 503; each check by name."""
    found: Ready = await call.service(Health).look()
    return web.json_response(text=found.model_dump_json(), status=200 if found.ready else 503)


async def metrics(call: Call[None, NoQuery]) -> web.StreamResponse:
    """Prometheus text."""
    services = call.services
    if not services.metrics:
        raise ControlError(404, "control.unknown_path", "Metrics are switched off (metrics.enabled).")
    await services.workers.look()
    body = collector.exposition(services.totals, await _own(services))
    return web.Response(body=body, headers={"Content-Type": collector.CONTENT_TYPE})


async def _own(services: Services) -> dict[str, Series]:
    own: dict[str, Series] = {
        "tidegate_workers": {(): sum(how == "ok" for how in services.workers.answers.values())},
        "tidegate_acts_total": dict(services.ledger.done.values),
        "tidegate_build_info": {processes.build(): 1},
        "tidegate_access_lines_dropped_total": {(): services.lines_dropped()},
    }
    if not services.database.problem:  # else what it alone knows has no series until it is back
        with suppress(DatabaseUnavailable):
            waiting = await services.ledger.relay.waiting()
            mark = await services.database.read(lambda session: session.get(Mark, SNAPSHOT_VERSION))
            own |= {
                "tidegate_outbox_waiting": {(): waiting.acts},
                "tidegate_outbox_age_seconds": {(): waiting.age},
                "tidegate_snapshot_version": {(): mark.value if mark is not None else 0},
            }
    for feature in services.features:
        if isinstance(feature, Measured):
            with suppress(DatabaseUnavailable):
                own |= await feature.series()
    lag = services.mirror_lag()
    if lag is not None:
        own["tidegate_mirror_lag_seconds"] = {(): lag}
    most = services.mirror_max_lag()
    if most is not None:
        own["tidegate_mirror_max_lag_seconds"] = {(): most}
    try:
        status = await services.reloader.status()
    except ChannelError:
        return own  # the supervisor is away; what it knows has no series until it is back
    return own | _configured(status) | await asyncio.to_thread(processes.series, status)


def _configured(status: Mapping[str, Any]) -> dict[str, Series]:
    """What the supervisor tells of reloads."""
    refused = status.get("refused")
    return {
        "tidegate_config_generation": {(): status.get("generation") or 0},
        "tidegate_config_last_reload_successful": {(): int(refused is None)},
        "tidegate_config_last_reload_success_timestamp_seconds": {(): status.get("since", 0) / 1e6},
        "tidegate_config_reloads_total": {(result,): n for result, n in dict(status.get("reloads", {})).items()},
    }


def _nothing(_unit: Unit) -> None:
    return None
