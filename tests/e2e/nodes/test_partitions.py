"""Two nodes, their database and their state on machines of their own, of which some do not hear each other for a while.

What each partition does stands in docs/operations.md, “What each failure does”: what is blocked stays blocked all the
time, whoever can act does, and behind it nothing is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from rig.postgresql import Postgres
from tests.e2e.node import Answer, Node
from tests.e2e.nodes import namespaces
from tests.e2e.nodes.cluster import WITHIN, Cluster, soon
from tests.e2e.nodes.lines import Line
from tests.e2e.nodes.namespaces import Namespaces
from tests.e2e.state.server import Server
from tests.e2e.upstream import serve

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(900), pytest.mark.whole]

PORT = 7000
AGAIN = 120.0  # seconds in which all is well again, on a machine with much else to do
UNTOLD = (OSError, asyncio.IncompleteReadError, TimeoutError)
BLOCK = {"scope": "sender", "reason": "spam", "ground": "agreement 6.1"}
PEERS = """
[journal.replicas.peers.other]
url = "http://127.0.0.1:{port}"
node = {node}
token = "file:{token}"
"""


class PartedCluster(Cluster):
    """Each node in a namespace: its state and database have addresses on a network that may be parted, its platform
    and its own ports are its own."""

    def __init__(self, folder: Path, network: Namespaces, server: Postgres, state: Server, platform: int) -> None:
        self.network = network
        self.walls: Counter[int] = Counter()
        self.lifted: list[str] = []
        self._carrying = [
            Line(network.listening("db", PORT), server.port),
            Line(network.listening("st", PORT), state.socket),
        ]
        super().__init__(folder, server, state, platform, 2)
        for number, node in self.nodes.items():
            self._place(number, node)

    def reached(self, number: int, own: Path) -> tuple[str, str]:
        database = self.server.url("gate", host=f"{self.network.address['db']}:{PORT}")
        return f"redis://{self.network.address['st']}:{PORT}", database

    def _place(self, number: int, node: Node) -> None:
        name, other = f"n{number}", f"n{3 - number}"
        node.within = ("ip", "netns", "exec", self.network.machine(name))
        node.reach = lambda port: self.network.connected(name, "127.0.0.1", port)
        address = self.network.address[other]
        self._carrying += [
            Line(self.network.listening(name, self.platform, inside=True), self.platform),
            Line(self.network.listening(name, PORT), lambda: node.reach(node.control_port)),  # type: ignore[misc]
            Line(
                self.network.listening(name, PORT + 1, inside=True), lambda: self.network.connected(name, address, PORT)
            ),
        ]

    async def start(self) -> None:
        """The first is started twice: it makes the token with which the other copies."""
        for line in self._carrying:
            await line.start()
        await self.nodes[1].start()
        await self.introduced()
        body = {"name": "copies", "scopes": ["journal:read"], "reason": "the other node copies"}
        token = self.folder / "copies.token"
        token.write_text((await self.done(1, "POST", "/v1/tokens", body))["result"]["token"], encoding="ascii")
        await self.nodes[1].stop()
        for number, config in self.configs.items():
            text = config.read_text(encoding="utf-8")
            peer = PEERS.format(port=PORT + 1, node=3 - number, token=token)
            config.write_text(text + peer, encoding="utf-8")
            await self.nodes[number].start()

    async def stop(self) -> None:
        for node in self.nodes.values():
            if node.process is not None:
                await node.stop()
        for line in self._carrying:
            await line.stop()

    async def watch(self, enough: asyncio.Event) -> None:
        """Who is blocked asks every node all the time."""
        while not enough.is_set():
            for number, node in self.nodes.items():
                with contextlib.suppress(*UNTOLD):
                    answer = await node.say("walled", "let me in")
                    self.walls[answer.status] += 1
                    if answer.status not in (403, 503):
                        self.lifted.append(f"node {number}: {answer}")
            await asyncio.sleep(0.1)

    async def well(self, number: int) -> bool:
        with contextlib.suppress(*UNTOLD):
            answer = await self.ask(number, "GET", "/readyz")
            told = answer.json()["checks"]
            return answer.status == 200 and not told["database"]["detail"] and not told["replicas"]["detail"]
        return False

    async def healed(self) -> None:
        """Everybody hears everybody, and says so."""
        self.network.join()
        for number in self.nodes:
            await soon(lambda number=number: self.well(number), AGAIN)

    async def says(self, number: int, sender: str) -> Answer:
        return await self.nodes[number].say(sender, "hello")

    async def refused(self, number: int, sender: str) -> bool:
        return (await self.says(number, sender)).status == 403

    async def passes(self, number: int, sender: str) -> bool:
        return (await self.says(number, sender)).status == 201

    def copied(self, number: int) -> set[str]:
        """The ids of messages in this node's folder, its own and the other's."""
        return {one["id"] for one in self.nodes[number].records() if one["kind"] == "judged"}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> AsyncIterator[PartedCluster]:
    """``postgres`` says whether there is one here; this one is the pair's own."""
    if why := namespaces.obstacle():
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("n")
    state = Server(folder)
    with Namespaces("n1", "n2", "db", "st") as network, Postgres() as database:
        database.create("gate")
        state.start()
        async with serve() as platform:
            made = PartedCluster(folder, network, database, state, platform.port)
            enough = asyncio.Event()
            try:
                await made.start()
                for sender in ("walled", "citizen"):
                    await made.done(1, "PUT", f"/v1/accounts/{sender}", {"verified": True, "reason": "papers"})
                await made.done(1, "POST", "/v1/blocks", {**BLOCK, "value": "walled"})
                for number in (1, 2):
                    await soon(lambda number=number: made.refused(number, "walled"), AGAIN)
                watching = asyncio.create_task(made.watch(enough))
                yield made
                enough.set()
                await watching
                print(f"\nwho is blocked asked meanwhile: {dict(made.walls)}")
                assert made.lifted == []
                assert made.walls[403] > 0
                for node in made.nodes.values():  # one that began with peers has no folder to copy into at first
                    assert '"cause":"disk"' not in node.told(everything=True)
            finally:
                enough.set()
                network.join()
                await made.stop()
        state.kill()
    shutil.rmtree(folder, ignore_errors=True)


async def known(pair: PartedCluster, *senders: str) -> None:
    for sender in senders:
        await pair.done(2, "PUT", f"/v1/accounts/{sender}", {"verified": True, "reason": "papers"})
        for number in (1, 2):
            await soon(lambda number=number, sender=sender: pair.passes(number, sender), AGAIN)


async def test_the_nodes_do_not_hear_each_other(pair: PartedCluster) -> None:
    """Acts are in force on both all the same; copying waits, is told, and goes on from where it was."""
    await known(pair, "alice", "bob")
    pair.network.part("n1", "n2")
    try:
        said: set[str] = set()
        for turn in range(20):
            answer = await pair.says(1 + turn % 2, "citizen")
            assert answer.status == 201, answer
            said.add(answer.headers["tidegate-message-id"])
        for here, there, sender in ((1, 2, "alice"), (2, 1, "bob")):
            await pair.done(here, "POST", "/v1/blocks", {**BLOCK, "value": sender})
            assert await soon(lambda there=there, sender=sender: pair.refused(there, sender)) < WITHIN
        for number in (1, 2):

            async def told(number: int = number) -> bool:
                answer = await pair.ask(number, "GET", "/readyz")
                return answer.status == 200 and "other (node" in answer.json()["checks"]["replicas"]["detail"]

            await soon(told, AGAIN)
            assert not said <= pair.copied(number)
    finally:
        await pair.healed()
    for number in (1, 2):

        async def there(number: int = number) -> bool:
            return said <= await asyncio.to_thread(pair.copied, number)

        await soon(there, AGAIN)


async def test_a_node_does_not_hear_state(pair: PartedCluster) -> None:
    """It refuses by what its rules say (503), and says that it is not fit; what it does is in force on the other."""
    await known(pair, "carol")
    pair.network.part("n1", "st")
    try:

        async def degraded() -> bool:
            return (await pair.says(1, "citizen")).status == 503

        await soon(degraded, AGAIN)
        assert (await pair.says(2, "citizen")).status == 201

        async def unfit() -> bool:
            answer = await pair.ask(1, "GET", "/readyz")
            return answer.status == 503 and not answer.json()["checks"]["state"]["ok"]

        await soon(unfit, AGAIN)
        answer = await pair.ask(1, "POST", "/v1/blocks", {**BLOCK, "value": "carol"})
        assert answer.status in (200, 202), answer
        assert not answer.json()["in_force"]
        await soon(lambda: pair.refused(2, "carol"))  # whoever finds it projects it
    finally:
        await pair.healed()
    await soon(lambda: pair.passes(1, "citizen"), AGAIN)
    for number in (1, 2):
        await soon(lambda number=number: pair.refused(number, "carol"), AGAIN)


async def test_a_node_does_not_hear_the_database(pair: PartedCluster) -> None:
    """It judges and takes no acts; what the other does is in force on it by state."""
    await known(pair, "dora", "emil")
    pair.network.part("n1", "db")
    try:
        with contextlib.suppress(TimeoutError):  # the first waits for as long as nobody knows
            answer = await pair.ask(1, "POST", "/v1/blocks", {**BLOCK, "value": "dora"})
            assert answer.status == 503, answer

        async def told() -> bool:
            answer = await pair.ask(1, "GET", "/readyz")
            return answer.status == 200 and "no act is taken" in answer.json()["checks"]["database"]["detail"]

        await soon(told, AGAIN)
        answer = await pair.ask(1, "POST", "/v1/blocks", {**BLOCK, "value": "dora"})
        assert (answer.status, answer.json()["reason"]) == (503, "control.database_unavailable"), answer
        assert await pair.passes(1, "citizen")
        assert await pair.leader() == 2
        await pair.done(2, "POST", "/v1/blocks", {**BLOCK, "value": "emil"})
        assert await soon(lambda: pair.refused(1, "emil")) < WITHIN
    finally:
        await pair.healed()
    rows = []
    for number in (1, 2):
        blocks = (await pair.ask(number, "GET", "/v1/blocks?reason=look")).json()["blocks"]
        rows.append([(row["id"], row["value"]) for row in blocks])
    assert rows[0] == rows[1]
    held = {value for _, value in rows[0]}
    for sender in ("dora", "emil"):
        for number in (1, 2):
            status = 403 if sender in held else 201

            async def same(number: int = number, sender: str = sender, status: int = status) -> bool:
                return (await pair.says(number, sender)).status == status

            await soon(same, AGAIN)


async def test_a_node_hears_neither(pair: PartedCluster) -> None:
    """Alone it refuses by its rules, and when it is back it has what was done meanwhile."""
    await known(pair, "finn")
    pair.network.part("n1", "db", "st")
    try:

        async def degraded() -> bool:
            return (await pair.says(1, "citizen")).status == 503

        await soon(degraded, AGAIN)
        await pair.done(2, "POST", "/v1/blocks", {**BLOCK, "value": "finn"})
        assert await pair.refused(2, "finn")
        assert (await pair.says(1, "finn")).status in (403, 503)
    finally:
        await pair.healed()
    await soon(lambda: pair.refused(1, "finn"), AGAIN)
    await soon(lambda: pair.passes(1, "citizen"), AGAIN)
