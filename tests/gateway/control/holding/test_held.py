"""Every transition of a held message by its name, and what each leaves of the request."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.control.acts.refusal import ControlError
from gateway.control.cases.rows import Case
from gateway.control.holding import held, held_states
from gateway.control.holding.rows import Release

DECISIONS: dict[str, Any] = {
    "approve": lambda unit, name, now: held.approve(unit, name, None, now, now),
    "undo": held.undo,
    "refuse": lambda unit, name, now: held.refuse(unit, name, "review.refused", "agreement 2", now),
    "withdraw": lambda unit, name, now: held.withdraw(unit.session, name, now),
    "supersede": lambda unit, name, now: held.supersede(unit.session, name, "other", now),
    "void": lambda unit, name, now: held.void(unit.session, held.of(unit.session, name), "block.sender", now),
    "expire": lambda unit, name, now: held.expire(unit.session, held.of(unit.session, name), now),
}


def event(name: str) -> Any:
    """What does an event: people's functions, and the move of tasks for the rest."""
    return DECISIONS.get(name) or (
        lambda unit, message, now: held.move(unit.session, held.of(unit.session, message), name, now)
    )


@pytest.mark.parametrize(("state", "name"), held_states.TRANSITIONS, ids=lambda value: value)
async def test_transition(holding: Any, state: str, name: str) -> None:
    holding.park()
    holding.put(state=state, release="r-1", texts=["b"])
    await holding.act(lambda unit: event(name)(unit, holding.id, holding.now))
    row = holding.row()
    assert row.state == held_states.TRANSITIONS[state, name]
    assert holding.events()[-1] == row.state
    assert (row.sealed is None) == (row.state in held_states.GONE)
    if row.state in held_states.GONE:
        assert row.texts is None


async def test_what_the_table_does_not_have_is_refused_and_changes_nothing(holding: Any) -> None:
    holding.park()
    for state in held_states.STATES:
        for name in held_states.EVENTS:
            if (state, name) in held_states.TRANSITIONS:
                continue
            holding.put(state=state)
            before = holding.events()
            with pytest.raises(ControlError) as refused:
                await holding.act(lambda unit, name=name: event(name)(unit, holding.id, holding.now))
            assert (refused.value.status, refused.value.reason) == (409, "review.decided")
            assert (holding.row().state, holding.events()) == (state, before)


async def test_nobody_decides_on_what_nobody_parked(holding: Any) -> None:
    with pytest.raises(ControlError) as refused:
        await holding.act(lambda unit: held.withdraw(unit.session, "none", holding.now))
    assert refused.value.status == 404


async def test_an_edit_takes_its_place_and_its_case(holding: Any) -> None:
    holding.park()
    newer = holding.id[:-1] + "6"
    holding.park(newer)
    case = holding.row().case_id
    await holding.act(lambda unit: held.supersede(unit.session, holding.id, newer, holding.now))
    assert (holding.row().state, holding.row(newer).case_id) == ("superseded", case)
    of_case = holding.plant.database.now(lambda session: session.get_one(Case, case))
    assert (of_case.message_id, of_case.state) == (newer, "waiting")


async def test_with_its_message_a_case_is_withdrawn(holding: Any) -> None:
    holding.park()
    case = holding.row().case_id
    await holding.act(lambda unit: held.withdraw(unit.session, holding.id, holding.now))
    assert holding.plant.database.now(lambda session: session.get_one(Case, case)).state == "void"


@pytest.mark.parametrize(("found", "state", "outcome"), [
    ("deliver", "delivered", "delivered"), ("reject", "undeliverable", "refused"), ("release", "releasing", "begun"),
])  # fmt: skip
async def test_of_one_that_nobody_knows_of_a_person_says_what_became(
    holding: Any, found: Any, state: str, outcome: str
) -> None:
    holding.park()
    release = Release(id="r-1", message_id=holding.id, at=1, state="unknown", told=True)
    holding.plant.database.now(lambda session: session.add(release))
    holding.put(state="unknown", release="r-1")
    await holding.act(lambda unit: held.settle(unit, holding.id, found, holding.now))
    assert holding.row().state == state
    made = holding.plant.database.now(lambda session: session.get_one(Release, "r-1"))
    assert made.state == outcome
    with pytest.raises(ControlError):
        await holding.act(lambda unit: held.settle(unit, holding.id, found, holding.now))


async def test_the_trace_has_what_is_new_and_is_bounded(holding: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "MAX_TRACE", 4)
    holding.park()

    def tried(*status: int) -> Any:
        def work(session: Any) -> None:
            for one in status:
                held.note_try(session, held.of(session, holding.id), one, "upstream.status", 1)

        return work

    holding.plant.database.now(tried(503, 503, 500))
    assert holding.events() == ["held", "tried", "tried"]
    holding.plant.database.now(tried(503, 500))
    assert len(holding.events()) == 4
