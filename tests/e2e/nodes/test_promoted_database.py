"""The database's replica takes over without the last acts that its primary had answered: no node believes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.postgresql import Postgres
from tests.e2e.nodes.acting import AGAIN, block, both_well, brought_back, known, refused
from tests.e2e.nodes.cluster import Cluster, soon
from tests.e2e.state.server import Server
from tests.e2e.upstream import serve

pytestmark = [pytest.mark.timeout(900), pytest.mark.whole]


class Replicated(Cluster):
    """Each node knows both servers, and uses whichever takes writes."""

    def __init__(self, folder: Path, server: Postgres, replica: Postgres, state: Server, platform: int) -> None:
        self.replica = replica
        super().__init__(folder, server, state, platform, 2)

    def reached(self, number: int, own: Path) -> tuple[str, str]:
        hosts = f"127.0.0.1:{self.server.port},127.0.0.1:{self.replica.port}"
        return f"unix://{self.state.socket}", f"{self.server.url('gate', host=hosts)}?target_session_attrs=read-write"


async def test_a_replica_that_is_promoted_without_the_last_acts(tmp_path: Path, postgres: Postgres) -> None:
    """What was blocked stays so on both, nothing is projected and no act taken, until the acts are brought back."""
    state = Server(tmp_path)
    state.start()
    try:
        with Postgres() as primary:
            primary.create("gate")
            with Postgres(primary) as replica:
                async with serve() as platform:
                    pair = Replicated(tmp_path, primary, replica, state, platform.port)
                    try:
                        await _promoted(pair)
                    finally:
                        for node in pair.nodes.values():
                            if node.process is not None:
                                await node.stop()
    finally:
        state.kill()


async def _promoted(pair: Cluster) -> None:
    assert isinstance(pair, Replicated)
    for node in pair.nodes.values():
        await node.start()
    await both_well(pair)
    await known(pair, "kept", "yan", "yves")
    assert (await block(pair, 1, "kept")).status in (200, 202)

    async def caught_up() -> bool:
        return bool(pair.replica.ask("SELECT 1 FROM blocks WHERE value = 'kept'", "gate"))

    await soon(caught_up, AGAIN)
    pair.replica.ask("ALTER SYSTEM SET primary_conninfo = ''")  # from now on it hears nothing
    pair.replica.ask("SELECT pg_reload_conf()")

    async def deaf() -> bool:
        return not pair.replica.ask("SELECT 1 FROM pg_stat_wal_receiver")

    await soon(deaf, AGAIN)
    for number, sender in ((1, "yan"), (2, "yves")):
        assert (await block(pair, number, sender)).status in (200, 202)
        for at in (1, 2):
            await soon(lambda at=at, sender=sender: refused(pair, at, sender), AGAIN)
    pair.server.kill()
    pair.replica.promote()
    await brought_back(pair, "kept", "yan", "yves")
