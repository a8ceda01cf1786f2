"""Once, whatever dies meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.control.accounts.rows import Account
from gateway.control.acts.refusal import ControlError
from gateway.control.blocks.rows import Block
from gateway.control.holding import held
from gateway.control.releasing.publishing import Published
from gateway.control.switches.rows import Switch

ID = "01a20094-b11c-7000-8001-0054a58fe235"
TAKEN = Published("delivered", 201, "", "77")
BUSY = Published("later", 503, "upstream.status")
AWAY = Published("unreached", None, "upstream.refused")
LOST = Published("lost", None, "upstream.timeout")
NO = Published("refused", 403, "release.refused")


@pytest.fixture
async def known(bench: Any) -> None:
    """Alice is verified."""
    await bench.act(lambda unit: unit.add(Account(sender="alice", verified=True, verified_until=0, credit=100)))


@pytest.fixture
async def waiting(bench: Any, known: None) -> Any:
    """A bench with one message that waits."""
    bench.park(ID)
    return bench


async def test_held_approved_releasing_delivered(waiting: Any) -> None:
    await waiting.approve(ID)
    assert waiting.state(ID) == "approved"
    await waiting.settle()
    assert (waiting.state(ID), waiting.platform.shown) == ("delivered", [ID])
    assert waiting.events(ID) == ["held", "approved", "releasing", "delivered"]
    (judged,) = waiting.told("judged")
    assert judged["releases"] == ID
    assert judged["id"] != ID
    assert judged["sent_at"] < judged["time"]
    assert judged["approved_by"] == waiting.trace[1].act_uid
    assert waiting.became(judged["id"]) == ["delivered"]
    assert [(row["state"], row.get("person")) for row in waiting.told("review")] == [
        ("approved", "li"), ("releasing", None), ("delivered", None),
    ]  # fmt: skip


async def test_the_judged_record_is_there_before_the_platform_is_asked(waiting: Any) -> None:
    seen: list[int] = []
    waiting.platform.on_ask = lambda when: seen.append(len(waiting.told("judged")))
    await waiting.approve(ID)
    await waiting.settle()
    assert seen == [1, 1]


async def test_nothing_goes_within_the_undo_window_and_an_approval_can_be_taken_back(waiting: Any) -> None:
    await waiting.approve(ID, undo=10.0)
    assert not await waiting.step(9.0)
    await waiting.act(lambda unit: held.undo(unit, ID, waiting.ns // 1000))
    assert (waiting.state(ID), await waiting.step(9.0)) == ("held", False)
    await waiting.approve(ID, undo=10.0)
    assert await waiting.step(11.0)
    assert waiting.state(ID) == "delivered"


async def test_approved_masked_goes_as_the_person_left_it(waiting: Any) -> None:
    await waiting.approve(ID, ["buy ****"])
    await waiting.settle()
    assert waiting.platform.texts == [("buy ****",)]
    assert waiting.told("judged")[0]["content"]["plain"] == ["buy ****"]
    assert waiting.row(ID).texts is None


async def test_what_masks_had_changed_goes_masked(bench: Any, known: None) -> None:
    bench.park(ID, masked_texts=("buy ****",))
    await bench.approve(ID)
    await bench.settle()
    assert bench.platform.texts == [("buy ****",)]


@pytest.mark.parametrize("away", [BUSY, AWAY])
async def test_releasing_retried_until_the_platform_is_back(waiting: Any, away: Published) -> None:
    waiting.platform.says = [away, away, TAKEN]
    await waiting.approve(ID)
    await waiting.settle(seconds=5)
    assert (waiting.state(ID), waiting.platform.shown) == ("delivered", [ID])
    ids = [release for _, release in waiting.platform.asked]
    assert len(set(ids)) == 3  # each try of which it is known that nothing came has a record of its own
    assert [waiting.became(one)[-1] for one in ids][-1] == "delivered"
    assert all(waiting.became(one)[-1] in ("failed", "refused") for one in ids[:2])
    assert waiting.events(ID).count("tried") == 1


async def test_releasing_undeliverable_ticketed_where_the_platform_refuses(waiting: Any) -> None:
    waiting.platform.says = [NO]
    await waiting.approve(ID)
    await waiting.settle()
    assert waiting.events(ID) == ["held", "approved", "releasing", "undeliverable", "ticketed"]
    (ticket,) = waiting.tickets
    assert (ticket.sender, ticket.room, ticket.state) == ("alice", "r1", "open")
    assert waiting.row(ID).sealed is None


async def test_releasing_undeliverable_once_it_was_retried_for_long_enough(waiting: Any) -> None:
    waiting.platform.says = [BUSY]
    waiting.platform.retry_for = 60.0
    await waiting.approve(ID)
    await waiting.settle(seconds=10)
    assert waiting.state(ID) == "ticketed"
    assert 3 < len(waiting.platform.asked) < 12


async def test_approved_ticketed_where_nothing_else_leads_to_the_platform(waiting: Any) -> None:
    waiting.platform.publishes = False
    await waiting.approve(ID)
    await waiting.settle()
    assert (waiting.events(ID), waiting.platform.asked) == (["held", "approved", "ticketed"], [])


async def test_releasing_unknown_where_the_platform_does_not_honour_the_key(waiting: Any) -> None:
    waiting.platform.honours = False
    waiting.platform.says = [LOST, TAKEN]
    await waiting.approve(ID)
    await waiting.settle()
    assert (waiting.state(ID), len(waiting.platform.asked)) == ("unknown", 1)
    assert waiting.became(waiting.platform.asked[0][1]) == ["unknown"]
    assert waiting.row(ID).sealed is not None  # a person may say to send it once more


async def test_what_was_cut_off_is_sent_again_under_the_same_record_where_the_key_is_honoured(waiting: Any) -> None:
    waiting.platform.says = [LOST, BUSY, TAKEN]
    await waiting.approve(ID)
    await waiting.settle()
    assert waiting.state(ID) == "delivered"
    assert len({release for _, release in waiting.platform.asked}) == 1
    assert len(waiting.told("judged")) == 1


async def test_unknown_delivered_where_a_person_found_it(waiting: Any) -> None:
    await lost(waiting)
    await waiting.act(lambda unit: held.settle(unit, ID, "deliver", waiting.ns // 1000))
    await waiting.settle()
    assert (waiting.state(ID), waiting.row(ID).sealed, len(waiting.platform.asked)) == ("delivered", None, 1)
    assert waiting.became(waiting.platform.asked[0][1]) == ["unknown", "delivered"]


async def test_unknown_releasing_where_a_person_takes_it_upon_themselves(waiting: Any) -> None:
    await lost(waiting)
    await waiting.act(lambda unit: held.settle(unit, ID, "release", waiting.ns // 1000))
    await waiting.settle()
    assert (waiting.state(ID), len(waiting.platform.asked)) == ("delivered", 2)


async def test_unknown_undeliverable_where_a_person_did_not_find_it(waiting: Any) -> None:
    await lost(waiting)
    await waiting.act(lambda unit: held.settle(unit, ID, "reject", waiting.ns // 1000))
    await waiting.settle()
    assert (waiting.state(ID), len(waiting.platform.asked)) == ("ticketed", 1)
    # Its static version goes: nobody knew whether it was shown, and now it is known that it was not.
    assert [row["id"] for row in waiting.told("removal")] == [waiting.platform.asked[0][1]]


async def lost(bench: Any) -> None:
    bench.platform.honours = False
    bench.platform.says = [LOST, TAKEN]
    await bench.approve(ID)
    await bench.settle()


async def test_approved_void_where_the_sender_was_blocked_meanwhile(waiting: Any) -> None:
    block = Block(scope="sender", value="alice", reason="spam", ground="agreement 2", created_at=1)
    await waiting.act(lambda unit: unit.add(block))
    await waiting.approve(ID)
    await waiting.settle()
    assert (waiting.state(ID), waiting.platform.asked, waiting.row(ID).sealed) == ("void", [], None)
    assert waiting.told("review")[-1]["reason"] == "block.sender"


async def test_releasing_void_where_facts_changed_between_two_tries(waiting: Any) -> None:
    waiting.platform.says = [BUSY]
    await waiting.approve(ID)
    await waiting.step()
    assert waiting.state(ID) == "releasing"
    block = Block(scope="room", value="r1", reason="spam", ground="agreement 2", created_at=1)
    await waiting.act(lambda unit: unit.add(block))
    await waiting.settle()
    assert (waiting.state(ID), len(waiting.platform.asked)) == ("void", 1)


async def test_what_a_switch_keeps_back_goes_when_it_is_lifted(waiting: Any) -> None:
    switch = Switch(kind="freeze", scope="room", value="r1", ground="law 1", created_at=1)
    await waiting.act(lambda unit: unit.add(switch))
    await waiting.approve(ID)
    assert await waiting.step()
    assert await waiting.step(6)
    assert waiting.state(ID) == "approved"
    await waiting.act(lambda unit: unit.remove(unit.get(Switch, switch.id)))
    await waiting.settle()
    assert waiting.platform.shown == [ID]


async def test_approved_expired_where_it_is_never_lifted(waiting: Any) -> None:
    switch = Switch(kind="freeze", scope="route", value="comments", ground="law 1", created_at=1)
    await waiting.act(lambda unit: unit.add(switch))
    await waiting.approve(ID)
    await waiting.settle(seconds=7200)
    assert (waiting.state(ID), waiting.platform.asked) == ("expired", [])


async def test_a_journal_that_cannot_write_keeps_it_from_leaving(waiting: Any) -> None:
    await waiting.approve(ID)
    waiting.journal_down = True
    await waiting.step()
    assert waiting.platform.asked == []
    waiting.journal_down = False
    await waiting.settle()
    assert waiting.platform.shown == [ID]
    assert len(waiting.told("judged")) == 1


async def test_a_seal_that_cannot_be_opened_keeps_it_waiting_for_its_key(waiting: Any) -> None:
    kept, waiting.seal = waiting.seal, None
    await waiting.approve(ID)
    await waiting.step()
    assert (waiting.releases.unopened, waiting.state(ID)) == (1, "approved")
    waiting.seal = kept
    await waiting.step(61)
    assert (waiting.releases.unopened, waiting.platform.shown) == (0, [ID])


async def test_metrics_tell_what_waits_and_what_needs_a_person(waiting: Any) -> None:
    await lost(waiting)
    waiting.park(ID[:-1] + "6")
    series = await waiting.releases.series()
    assert {state: count for (state,), count in series["tidegate_held"].items() if count} == {"held": 1, "unknown": 1}


async def test_what_was_decided_is_not_decided_again(waiting: Any) -> None:
    await waiting.approve(ID)

    def withdraw(unit: Any, name: str, now: int) -> None:
        held.withdraw(unit.session, name, now)

    for decide in (withdraw, held.undo):
        await waiting.settle()
        with pytest.raises(ControlError) as refused:
            await waiting.act(lambda unit, decide=decide: decide(unit, ID, waiting.ns // 1000))
        assert (refused.value.status, refused.value.reason) == (409, "review.decided")


@pytest.mark.parametrize(
    ("honours", "says"), [(False, [TAKEN]), (False, [BUSY, TAKEN]), (True, [LOST, TAKEN]), (True, [NO])]
)
async def test_killed_at_every_step_it_is_there_once(
    bench: Any, known: None, honours: bool, says: list[Published]
) -> None:
    """Each step of the process is once the last one; what follows is a new process over the same files."""
    bench.platform.honours = honours
    killed = 0
    for step in range(99):
        message = ID[:-3] + f"{step:03x}"
        bench.park(message)
        await bench.approve(message)
        bench.platform.says = list(says)
        bench.kill_at = step
        try:
            await bench.settle(seconds=5)
        except bench.Killed:
            killed += 1
            await bench.restart()
            await bench.settle(seconds=5)
        bench.kill_at = None
        shown = bench.platform.shown.count(message)
        state = bench.state(message)
        assert (shown, state) in outcomes(honours, says), (step, shown, state)
        if state in ("delivered", "ticketed"):
            assert bench.row(message).sealed is None
        assert_agreed(bench, message, state)
        if killed == step:
            break
    assert 10 < killed < 60


def outcomes(honours: bool, says: list[Published]) -> set[tuple[int, str]]:
    """How often it may be there, and in which state: never lost, never twice."""
    if says == [NO]:
        return {(0, "ticketed")} if honours else {(0, "ticketed"), (0, "unknown")}
    return {(1, "delivered")} if honours else {(1, "delivered"), (1, "unknown"), (0, "unknown")}


def assert_agreed(bench: Any, message: str, state: str) -> None:
    """The journal says what the database says; a static version made of it shows the message once, or not at all."""
    ids = [row["id"] for row in bench.told("judged") if row["releases"] == message]
    gone = {row["id"] for row in bench.told("removal")}
    shown = [one for one in ids if one not in gone and {"delivered", "unknown"} & set(bench.became(one))]
    assert len(ids) == len(set(ids))
    assert len(shown) == (state in ("delivered", "unknown"))
    assert bench.told("review")[-1]["state"] == state
