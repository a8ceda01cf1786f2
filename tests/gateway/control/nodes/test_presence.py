"""Numbers and folders belong together, each node is in its row, and what is done for all is done by one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from gateway.common.folders import DatabaseServer
from gateway.control.acts.acts import Intent, perform
from gateway.control.acts.database import Database
from gateway.control.acts.rows import Act
from gateway.control.features import GOVERNANCE
from gateway.control.nodes import presence, registering
from gateway.control.nodes.clock_skew import ClockSkew
from gateway.control.nodes.leading import Leading
from gateway.control.nodes.presence import Presence, ServedGeneration
from gateway.control.nodes.registering import LIVING_US, ThisNode
from gateway.control.nodes.roll import roll
from gateway.control.nodes.rows import NodeRow
from gateway.journal.write.ids import CONTROL, Ids
from gateway.node.folder_number import OtherNumber


class Several:
    """Controls of one database, and its clock, to be set."""

    def __init__(self, place: DatabaseServer) -> None:
        self.place = place
        self.now = 1_000_000_000
        self.databases: list[Database] = []
        self.serving: dict[int, ServedGeneration] = {}
        self.ahead: dict[int, int] = {}  # µs by which a node's clock is

    def clock(self, _session: Any) -> int:
        return self.now

    def node(self, number: int, folder: str = "", place: str = "") -> Presence:
        database = Database(self.place, serving=True)
        self.databases.append(database)
        here = ThisNode(number, folder or f"folder-{number}", place or f"host-{number}:/data", "127.0.0.1:1", "1.0")
        self.serving.setdefault(number, ServedGeneration(1, "same"))
        holder = f"{number}:{len(self.databases)}"
        return Presence(database, here, lambda: self.serving[number], Leading(holder, lambda: self.now),
                        ClockSkew(lambda: 1.0, lambda: (self.now + self.ahead.get(number, 0)) * 1000))  # fmt: skip


@pytest.fixture
def several(server_place: DatabaseServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Several]:
    made = Several(server_place)
    for module in (presence, registering, presence.leading):
        monkeypatch.setattr(module, "clock_us", made.clock)
    yield made
    for database in made.databases:
        database.close()


async def test_a_number_has_one_folder_and_a_folder_one_number(several: Several) -> None:
    await several.node(1).register()
    await several.node(2).register()
    with pytest.raises(OtherNumber, match=r"node 1 is another data folder \(host-1:/data\) .* node retire 1"):
        await several.node(1, folder="new").register()
    with pytest.raises(OtherNumber, match=r"this data folder is node 2 .* and server\.node is 3"):
        await several.node(3, folder="folder-2").register()
    await several.node(2).register()  # started again at once


async def test_a_copy_of_a_folder_is_refused_while_the_other_runs(several: Several) -> None:
    first = several.node(1)
    await first.register()
    with pytest.raises(OtherNumber, match="runs at host-1:/data, and this data folder is a copy"):
        await several.node(1, place="elsewhere:/data").register()
    several.now += LIVING_US  # it moved: its old place is left
    moved = several.node(1, place="elsewhere:/data")
    await moved.register()
    with pytest.raises(OtherNumber, match="runs at elsewhere"):
        await first.beat()


async def test_one_leads_and_its_successor_takes_over(several: Several) -> None:
    one, two = several.node(1), several.node(2)
    await one.register()
    await two.register()
    assert (one.leads(), two.leads()) == (True, False)
    several.now += 4_000_000  # two thirds: it stops by itself before anybody else begins
    assert (one.leads(), two.leads()) == (False, False)
    await two.beat()
    assert not two.leads()
    several.now += 2_000_000
    await two.beat()
    await one.beat()
    assert (one.leads(), two.leads()) == (False, True)
    await two.leave()
    await one.beat()
    assert one.leads()
    # Its own node's next process does not wait for what a killed one had.
    again = several.node(1)
    await again.register()
    assert again.leads()


async def test_acts_go_into_the_journal_of_their_node_or_of_the_leader_where_that_is_gone(several: Several) -> None:
    one, two, three = (several.node(number) for number in (1, 2, 3))
    for node in (one, two, three):
        await node.register()
    named = {}
    for number in (1, 2, 3, 9):  # nobody knows 9
        intent = Intent(Ids(number, CONTROL)(), "ann", "because", "state.rebuild", "state")
        named[intent.uid] = number
        several.databases[0].now(lambda session, intent=intent: perform(session, intent, lambda unit: None, GOVERNANCE))  # type: ignore[misc]

    def records(node: Presence) -> set[int]:
        wanted = select(Act.uid).where(node.records(Act.uid))
        return {named[uid] for uid in several.databases[0].now(lambda session: session.scalars(wanted).all())}

    await one.beat()
    assert [records(node) for node in (one, two, three)] == [{1, 9}, {2}, {3}]
    for _ in range(4):
        several.now += 3_000_000
        await one.beat()
        await two.beat()
    assert [records(node) for node in (one, two)] == [{1, 3, 9}, {2}]


async def test_a_node_with_an_older_generation_says_so(several: Several) -> None:
    one, two = several.node(1), several.node(2)
    await one.register()
    await two.register()
    several.now += 5_000_000
    several.serving[2] = ServedGeneration(7, "other")
    await two.beat()
    await one.beat()
    assert one.note == "generation 1 is older than what others serve: node 2 (7)"
    assert two.note == ""
    told = several.databases[0].now(lambda session: roll(session, alone=False), reading=True)
    assert [(node.number, node.generation) for node in told] == [(1, 1), (2, 7)]
    several.serving[1] = ServedGeneration(2, "other")
    await one.beat()
    assert one.note == ""
    await two.beat()
    assert two.note == ""


async def test_whose_beat_came_first_says_nothing_of_what_came_into_force_first(several: Several) -> None:
    one, two = several.node(1), several.node(2)
    await one.register()
    await two.register()
    several.now += 600_000_000
    now = time.time_ns() // 1000
    several.serving[1] = ServedGeneration(2, "earlier", now - 300_000_000)
    several.serving[2] = ServedGeneration(3, "later", now - 100_000_000)
    await two.beat()
    await one.beat()
    await two.beat()
    assert one.note == "generation 2 is older than what others serve: node 2 (3)"
    assert two.note == ""


async def test_one_that_was_retired_and_comes_back_takes_its_place_again(several: Several) -> None:
    one = several.node(1)
    await one.register()
    several.databases[0].now(lambda session: session.delete(session.get_one(NodeRow, 1)))
    await one.beat()
    assert [node.number for node in one.seen] == [1]


async def test_on_a_file_there_is_one_and_it_leads(plant: Any) -> None:
    if not plant.database.server:
        serving = [ServedGeneration(1, "a")]

        def node(number: int, folder: str) -> Presence:
            here = ThisNode(number, folder, "host:/data", "127.0.0.1:1", "1.0")
            return Presence(plant.database, here, lambda: serving[0], Leading("x"), ClockSkew(lambda: 1.0))

        await node(1, "a").register()
        await node(2, "b").register()  # restored into another folder, or given another number
        last = node(2, "b")
        await last.register()
        serving[0] = ServedGeneration(2, "b")
        await last.beat()
        told = plant.database.now(lambda session: roll(session, alone=True))
        assert [(one.number, one.generation, one.lives, one.leads) for one in told] == [(2, 2, True, True)]
        assert last.leads()


async def test_a_clock_that_is_apart_from_the_databases_is_told_and_one_that_is_not_is_not(several: Several) -> None:
    several.ahead = {2: 30_000_000, 3: -5_000_000}
    nodes = [several.node(number) for number in (1, 2, 3)]
    for one in nodes:
        await one.register()
    assert [one.skew.beyond for one in nodes] == [False, True, True]
    assert nodes[0].skew.note == ""
    assert " 30.0" in nodes[1].skew.note
    assert " ahead of the database's" in nodes[1].skew.note
    assert " 5.0" in nodes[2].skew.note.replace("4.99", "5.0")
    assert " behind the database's" in nodes[2].skew.note
    several.ahead.clear()
    for one in nodes:
        await one.beat()
    assert [one.skew.beyond for one in nodes] == [False, False, False]
