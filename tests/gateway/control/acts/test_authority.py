"""A database that lacks acts says nothing to state, does nothing, and tells why."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.control.acts.authority import Authority, DatabaseBehind, older_than_state
from gateway.control.acts.ledger import CLAIM
from gateway.control.acts.refusal import ControlError
from gateway.control.features import GOVERNANCE
from gateway.control.node import state_rebuild
from gateway.control.node.confirming import Confirming


def test_it_is_told_by_journal_and_by_state() -> None:
    authority = Authority()
    authority.check()
    authority.refuse()
    authority.state = older_than_state(3, 3)
    assert authority.problem == ""
    authority.state = older_than_state(3, 4)
    assert "snapshot 3, state has 4" in authority.problem
    authority.journal = "it lacks 2 acts"
    assert authority.problem.startswith("it lacks 2 acts: ")
    with pytest.raises(DatabaseBehind):
        authority.check()
    with pytest.raises(ControlError, match="database_behind"):
        authority.refuse()
    authority.settled()
    authority.refuse()


async def test_nothing_is_projected_and_nothing_rebuilt(plant: Any) -> None:
    plant.relay._authority = authority = plant.ledger.authority
    plant.state.snapshot = {"version": 7}
    confirming = Confirming(plant.database, plant.relay, plant.state, authority=authority)
    await confirming.look()  # the epoch is lost as well: all the more reason to write nothing
    assert "snapshot 0, state has 7" in authority.problem
    assert confirming.rebuilds == 0
    assert plant.state.epochs == []
    with pytest.raises(ControlError, match="database_behind"):
        await plant.ledger.act("ann", "because", "block.create", "x", lambda unit: None)
    with pytest.raises(DatabaseBehind):
        await state_rebuild.rebuild(plant.database, plant.state, GOVERNANCE)
    assert plant.state.epochs == []

    await plant.ledger.act("ann", "that was a rehearsal", CLAIM, "state", lambda unit: None, settle=False)
    await state_rebuild.claim(plant.database, plant.state, GOVERNANCE)
    assert plant.state.snapshot["version"] > 7
    await confirming.look()
    assert authority.problem == ""


async def test_an_outbox_waits_while_the_database_is_behind(plant: Any) -> None:
    plant.relay._authority = plant.ledger.authority
    await plant.ledger.act("ann", "because", "x", "x", lambda unit: None, settle=False)
    plant.ledger.authority.journal = "behind"
    plant.database.now(_waiting)
    await plant.relay.step()
    assert plant.relay.failures["state"] == "DatabaseBehind"
    assert plant.state.published == []
    plant.ledger.authority.settled()
    await plant.relay.step()
    assert "state" not in plant.relay.failures


def _waiting(session: Any) -> None:
    from gateway.control.acts.rows import Outbox

    session.get_one(Outbox, 1).acknowledged_state = False
