"""Workers hear of a new snapshot at once, and of a lost notice by the next poll."""

from __future__ import annotations

import asyncio
from typing import Any

from gateway.state.cold import embedded, topology
from gateway.state.cold.governance_projection import GovernanceProjection
from gateway.state.cold.snapshot_feed import Notices
from gateway.state.model.keys import Keys
from gateway.state.model.snapshot import RangeRow, Snapshot, SnapshotRows, SwitchRow


class Heard:
    """Snapshots, as they come."""

    def __init__(self, server: Any, poll: float) -> None:
        self.snapshots: asyncio.Queue[Snapshot] = asyncio.Queue()

        async def connect() -> Any:
            return topology.redis(*embedded.access(server.folder))

        self.notices = Notices(connect, Keys(), self.snapshots.put_nowait, poll=poll)

    async def next(self) -> Snapshot:
        async with asyncio.timeout(5):
            return await self.snapshots.get()


async def test_told_at_once(server: Any, projection: GovernanceProjection) -> None:
    heard = Heard(server, poll=60.0)  # so that only the channel can have told
    heard.notices.start()
    assert (await heard.next()).version == 1
    async with asyncio.timeout(5):
        while not server.cli("PUBSUB", "NUMSUB", "tg:notices")[1]:
            await asyncio.sleep(0.01)
    frozen = SwitchRow(1, "freeze", "room", "7", "incident 12")
    await projection.publish(SnapshotRows(2, switches=(frozen,), ranges=(RangeRow("10.0.0.0/8", "x"),)))
    snapshot = await heard.next()
    assert snapshot.rows.switches == (frozen,)
    found = snapshot.ranges.find("10.1.1.1")
    assert found is not None
    assert found.block.reason == "x"
    await heard.notices.close()


async def test_a_lost_notice(server: Any, projection: GovernanceProjection) -> None:
    heard = Heard(server, poll=0.02)
    heard.notices.start()
    await heard.next()
    server.cli("SET", "tg:snapshot", '{"version": 5}')
    server.cli("SET", "tg:version", "5")  # and nobody publishes
    assert (await heard.next()).version == 5
    await heard.notices.close()


async def test_what_cannot_be_read_leaves_the_last_one(server: Any, projection: GovernanceProjection) -> None:
    heard = Heard(server, poll=0.02)
    heard.notices.start()
    await heard.next()
    for broken in ("{", "[]", '{"version": 1, "ranges": [{"cidr": "10.0.0.0/99"}]}', '{"ranges": [{}]}'):
        server.cli("SET", "tg:snapshot", broken)
        server.cli("SET", "tg:version", f"6{len(broken)}")
        reads = heard.notices.reads
        async with asyncio.timeout(5):
            while heard.notices.reads < reads + 2:
                await asyncio.sleep(0.01)
    server.empty()
    await projection.publish(SnapshotRows(9))
    assert (await heard.next()).version == 9
    assert heard.snapshots.empty()
    await heard.notices.close()


async def test_the_server_goes_and_comes_back(own_server: Any, own_projection: GovernanceProjection) -> None:
    heard = Heard(own_server, poll=0.02)
    heard.notices.start()
    await heard.next()
    own_server.stop()
    await own_server.start_aside()
    await own_projection.publish(SnapshotRows(3))
    assert (await heard.next()).version == 3
    await heard.notices.close()
