"""Hash slots of a cluster are moved while messages go through: nobody's facts are lost on the way, what is blocked
stays blocked, limits go on counting, and nobody fails."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.state.model.keys import Keys, slot_of
from tests.e2e.lab import RULES, Lab, lab
from tests.e2e.node import Answer
from tests.e2e.nodes.cluster import soon
from tests.e2e.nodes.failing_over import ClusterPair, standing
from tests.e2e.nodes.moving_slots import MovingSlots, slots_of

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600), pytest.mark.whole]

PEOPLE = [f"m{number}" for number in range(6)]
WALLED = [f"w{number}" for number in range(3)]
FEW = 60
SPARING = f"""
[policies.sparing]
appeal = "https://platform.example/appeal?message={{{{id}}}}"
rules = [{RULES.replace("sender 1000/1s", f"sender {FEW}/1d")}]
[[routes]]
name = "sparing"
match = "POST /api/sparing/{{room}}/comments"
surface = "comment"
upstream = "platform"
policy = "sparing"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
"""
BLOCK = {"scope": "sender", "ground": "agreement 6.1", "reason": "spam"}
ROUNDS = 4


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def state(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ClusterPair]:
    async with standing(ClusterPair(tmp_path_factory.mktemp("c"))) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def gate(state: ClusterPair, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    async with lab(tmp_path_factory.mktemp("g"), state=state.toml, known=False, workers=2, more=SPARING) as made:
        await made.introduce(*PEOPLE, *WALLED, "counted", "late", "halfway")
        for sender in WALLED:
            await blocked(made, sender)
        yield made
        await made.sound()


async def blocked(gate: Lab, sender: str) -> None:
    """By an act; in force behind it, or a moment later, as the answer says."""
    answer = await gate.node.manage("POST", "/v1/blocks", {**BLOCK, "value": sender})
    assert answer.status in (200, 202), answer
    if not answer.json()["in_force"]:

        async def refused() -> bool:
            return (await say(gate, sender)).status == 403

        await soon(refused)


async def say(gate: Lab, sender: str, text: str = "hello", route: str = "articles") -> Answer:
    return await gate.node.say(sender, text, f"/api/{route}/1/comments")


class Heard:
    """What was answered, and to whom."""

    def __init__(self) -> None:
        self.people: Counter[str] = Counter()
        self.walled: Counter[int] = Counter()
        self.counted: list[Answer] = []
        self.acts: list[str] = []
        self.strange: list[str] = []


async def talk(gate: Lab, heard: Heard, enough: asyncio.Event, sender: str) -> None:
    number = 0
    while not enough.is_set():
        number += 1
        answer = await say(gate, sender, f"{sender} says {number}")
        heard.people[f"{answer.status} {answer.json().get('reason', '')}".strip()] += 1
        await asyncio.sleep(0.005)


async def knock(gate: Lab, heard: Heard, enough: asyncio.Event) -> None:
    while not enough.is_set():
        for sender in (*WALLED, *heard.acts):
            answer = await say(gate, sender)
            heard.walled[answer.status] += 1
            if answer.status < 400:
                heard.strange.append(f"{sender} got through: {answer}")
        await asyncio.sleep(0.01)


async def count(gate: Lab, heard: Heard, enough: asyncio.Event) -> None:
    while not enough.is_set():
        heard.counted.append(await say(gate, "counted", route="sparing"))
        await asyncio.sleep(0.05)


async def act(gate: Lab, heard: Heard, enough: asyncio.Event) -> None:
    number = 0
    while not enough.is_set():
        number += 1
        sender = f"a{number % 40}"
        if sender not in heard.acts:
            await blocked(gate, sender)
            heard.acts.append(sender)
        await asyncio.sleep(0.1)


async def test_slots_are_moved_under_load(state: ClusterPair, gate: Lab) -> None:
    slots, heard, enough = MovingSlots(state), Heard(), asyncio.Event()
    keys = Keys()
    ours = [*slots_of(*PEOPLE, *WALLED, "counted", "1", "late", "halfway", *(f"a{number}" for number in range(40)))]
    ours += [slot_of(key.encode()) for key in (keys.version, keys.snapshot, keys.owner, keys.building, keys.server)]
    tasks = [asyncio.create_task(talk(gate, heard, enough, sender)) for sender in PEOPLE]
    tasks += [asyncio.create_task(one(gate, heard, enough)) for one in (knock, count, act)]
    moving = asyncio.create_task(slots.go_on(ours, enough))
    try:

        async def often() -> bool:
            return slots.moved >= ROUNDS * len(ours) or moving.done()

        await soon(often, 300)
    finally:
        enough.set()
        await asyncio.gather(moving, *tasks)
    passed = [answer for answer in heard.counted if answer.status == 201]
    verdicts = gate.verdicts()
    alone = [one for one in passed if "limits:local" in json.dumps(verdicts[one.headers["tidegate-message-id"]])]
    print(f"\n{slots.moved} slots moved; people: {dict(heard.people)}; blocked: {dict(heard.walled)}")
    print(f"counted: {len(heard.counted)} asked, {len(passed)} passed, {len(alone)} of them by the worker alone")
    assert heard.strange == []
    assert set(heard.people) == {"201"}
    assert set(heard.walled) == {403}
    assert len(passed) - len(alone) <= FEW
    assert len(heard.counted) > FEW


async def test_a_slot_that_is_left_half_way(state: ClusterPair, gate: Lab) -> None:
    """As where somebody broke off: some keys here, some there, and both nodes say so for as long as nobody ends it."""
    slots = MovingSlots(state)
    slot, other = slots_of("halfway", WALLED[0])
    await slots.move(slot)  # behind it every worker has been led there
    begun = [(one, *await slots.begin(one)) for one in (slot, other)]
    for carried in range(20):
        for sender, wanted in (("halfway", 201), (WALLED[0], 403)):
            for _ in range(2):
                answer = await say(gate, sender, f"{sender} {carried}")
                assert answer.status == wanted, (carried, answer)
        moved = [await slots.carry(*one, most=1) for one in begun]
        if not any(moved) and carried > 4:
            break
    else:
        pytest.fail("keys came without end")
    await blocked(gate, "halfway")
    for _ in range(4):
        assert (await say(gate, "halfway")).status == 403
    for one, source, target in begun:
        await slots.carry(one, source, target)
        await slots.end(one, target)

    async def projected() -> bool:
        return bool(await begun[0][2].ask("KEYS", "tg:*:b:s:{halfway}"))

    await soon(projected, 60)
    for sender in ("halfway", WALLED[0]):
        assert (await say(gate, sender)).status == 403
