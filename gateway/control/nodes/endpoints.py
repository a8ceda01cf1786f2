"""The nodes of this control database: who is there, and who is gone for good."""

from __future__ import annotations

from pathlib import Path

from gateway.control.acts.acts import Unit
from gateway.control.calls.call import Call, Services, done
from gateway.control.calls.schemas import Done, NoQuery, Reasoned
from gateway.control.nodes.roll import RETIRE, retire, roll
from gateway.control.nodes.schemas import NodesOut


async def listed(call: Call[None, NoQuery]) -> NodesOut:
    alone = _alone(call.services)
    return NodesOut(nodes=await call.services.database.read(lambda session: roll(session, alone=alone)))


async def take_out(call: Call[Reasoned, NoQuery]) -> Done[NodesOut]:
    """Take a node out that is gone for good: another data folder may have its number then."""
    number, alone = call.number("node"), _alone(call.services)

    def work(unit: Unit) -> NodesOut:
        retire(unit, number, alone=alone)
        unit.session.flush()
        return NodesOut(nodes=roll(unit.session, alone=alone))

    outcome = await call.act(call.body.reason, RETIRE, f"node:{number}", work)
    return done(outcome, outcome.result)


def _alone(services: Services) -> bool:
    return isinstance(services.database.place, Path)
