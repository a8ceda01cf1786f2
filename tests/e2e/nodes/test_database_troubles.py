"""What goes wrong with the database of two nodes: gone, silent, read-only, of another release, and of yesterday."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from gateway.control.acts.database import MIGRATIONS
from gateway.control.acts.schema import RELEASE
from rig.postgresql import Postgres
from tests.e2e.node import Answer, kill
from tests.e2e.nodes.acting import AGAIN, UNTOLD, block, both_well, brought_back, known, refused, says
from tests.e2e.nodes.cluster import WITHIN, Cluster, running, soon
from tests.e2e.upstream import serve

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(900), pytest.mark.whole]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> AsyncIterator[Cluster]:
    """``postgres`` says whether there is one here; this one is the pair's own."""
    async with running(tmp_path_factory.mktemp("d")) as made:
        yield made


async def told(pair: Cluster, number: int, words: str) -> bool:
    """Whether readiness says this of the database."""
    with suppress(*UNTOLD):
        return words in (await pair.detail(number, "database"))["detail"]
    return False


async def in_force_again(pair: Cluster, sender: str) -> None:
    """Both are well, and what is done on one is in force on the other; what was refused is not."""
    await both_well(pair)
    assert [await says(pair, number, sender) for number in (1, 2)] == [201, 201]
    assert (await block(pair, 2, sender)).status == 200
    assert await soon(lambda: refused(pair, 1, sender)) < WITHIN


async def nothing_is_done(pair: Cluster, sender: str) -> None:
    """Neither takes an act, and both judge."""
    for number in (1, 2):
        answer = await block(pair, number, sender)
        assert (answer.status, answer.json()["reason"]) == (503, "control.database_unavailable"), answer
        assert await says(pair, number, sender) == 201
        assert (await pair.ask(number, "GET", "/readyz")).status == 200


async def test_gone_and_restarted(pair: Cluster) -> None:
    await known(pair, "gail")
    pair.server.kill()
    for number in (1, 2):
        await soon(lambda number=number: told(pair, number, "no act is taken"), AGAIN)
    await nothing_is_done(pair, "gail")
    pair.server.start()
    await in_force_again(pair, "gail")
    await known(pair, "rhea")
    pair.server.stop()  # as an operator does
    pair.server.start()
    await in_force_again(pair, "rhea")


async def test_silent(pair: Cluster) -> None:
    """It is paused: connections stand, and nothing is answered. What was under way ends by a bound, told as it is."""
    await known(pair, "sid")
    pair.server.pause()
    try:
        answers = await asyncio.gather(*(block(pair, number, "sid") for number in (1, 2)), return_exceptions=True)
        for answer in answers:  # one of them may have waited for longer than we do
            assert isinstance(answer, TimeoutError) or (
                isinstance(answer, Answer) and answer.status == 503 and answer.json()["reason"].startswith("control.")
            ), answer
        assert [await says(pair, number, "sid") for number in (1, 2)] == [201, 201]
    finally:
        pair.server.resume()
    await both_well(pair)
    rows = (await pair.ask(1, "GET", "/v1/blocks?reason=look&scope=sender&value=sid")).json()["blocks"]
    for number in (1, 2):  # whether it was done when it woke, or not: the same on both
        await soon(lambda number=number: same(pair, number, "sid", 403 if rows else 201))


async def same(pair: Cluster, number: int, sender: str, status: int) -> bool:
    return await says(pair, number, sender) == status


async def test_read_only(pair: Cluster) -> None:
    await known(pair, "ray")
    pair.server.ask("ALTER DATABASE gate SET default_transaction_read_only = on")
    pair.server.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'gate'")
    for number in (1, 2):
        await soon(lambda number=number: told(pair, number, "is read-only"), AGAIN)
    await nothing_is_done(pair, "ray")
    told_of = await pair.ask(2, "GET", "/v1/switches")  # what is in force can be read
    assert told_of.status == 200, told_of
    pair.server.ask("ALTER DATABASE gate SET default_transaction_read_only = off")
    pair.server.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'gate'")
    await in_force_again(pair, "ray")


async def test_of_the_next_release_it_is_served_and_of_the_one_behind_that_it_is_not(pair: Cluster) -> None:
    await known(pair, "nell", "nick")
    pair.server.ask(f"UPDATE marks SET value = {RELEASE + 1} WHERE name = 'schema'", "gate")
    kill(await pair.control(2))
    await soon(lambda: logged(pair, 2, "database.newer"), AGAIN)
    await in_force_again(pair, "nell")
    pair.server.ask(f"UPDATE marks SET value = {RELEASE + 2} WHERE name = 'schema'", "gate")
    kill(await pair.control(2))
    await soon(lambda: logged(pair, 2, "is of a release that is newer than the next"), AGAIN)
    assert await says(pair, 2, "nick") == 201
    assert await refused(pair, 2, "nell")
    assert (await block(pair, 1, "nick")).status == 200  # who is there goes on, and what it does reaches the other
    assert await soon(lambda: refused(pair, 2, "nick")) < WITHIN
    pair.server.ask(f"UPDATE marks SET value = {RELEASE} WHERE name = 'schema'", "gate")
    await both_well(pair)


async def logged(pair: Cluster, number: int, words: str) -> bool:
    return words in pair.nodes[number].told(everything=True)


async def test_an_older_schema_is_migrated_by_one_of_two(tmp_path: Path, pair: Cluster) -> None:
    """Both are started at once, at a database of a release before; ``pair``'s server has it."""
    url = pair.server.create("older")
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.set_main_option("recursive_version_locations", "true")
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")
    engine.dispose()
    async with serve() as platform:
        state = type(pair.state)(tmp_path)
        state.start()
        made = Cluster(tmp_path, pair.server, state, platform.port, 2)
        for config_file in made.configs.values():
            text = config_file.read_text(encoding="utf-8")
            config_file.write_text(text.replace(pair.server.url("gate"), url), encoding="utf-8")
        try:
            await asyncio.gather(*(node.start() for node in made.nodes.values()))
            await both_well(made)
            await known(made, "olga")
            assert (await block(made, 2, "olga")).status == 200
            assert await soon(lambda: refused(made, 1, "olga")) < WITHIN
            assert pair.server.ask("SELECT value FROM marks WHERE name = 'schema'", "older") == [(RELEASE,)]
        finally:
            for node in made.nodes.values():
                await node.stop()
            state.kill()


async def test_of_yesterday(pair: Cluster) -> None:
    """Put back beside newer state and newer journals: neither node projects it, what is blocked stays so, and what was
    done since comes back from both journals."""
    await known(pair, "yan", "yves")
    dumped = pair.server.folder / "dump.sql"
    pair.server._run("pg_dump", "-d", pair.server.url("gate"), "-f", str(dumped))
    for number, sender in ((1, "yan"), (2, "yves")):
        assert (await block(pair, number, sender)).status == 200
    pair.server.ask("CREATE DATABASE before TEMPLATE template0")
    pair.server._run("psql", "-q", "-d", pair.server.url("before"), "-f", str(dumped))
    pair.server.ask("ALTER DATABASE gate WITH ALLOW_CONNECTIONS false")
    pair.server.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'gate'")
    pair.server.ask("ALTER DATABASE gate RENAME TO lost")
    pair.server.ask("ALTER DATABASE before RENAME TO gate")
    await brought_back(pair, "yan", "yves")
    await known(pair, "zoe")
    await in_force_again(pair, "zoe")


PEER = """
[journal.replicas.peers.first]
url = "http://127.0.0.1:{port}"
node = 1
token = "file:{token}"
"""


async def test_a_node_that_was_away_for_a_day(pair: Cluster) -> None:
    """What was done meanwhile is in force on it before it takes anything, its lists are compiled, and its copy of the
    other's journal is whole again."""
    await known(pair, "dan", "dawn", "dee")
    made = await pair.done(1, "POST", "/v1/tokens", {"name": "copies", "scopes": ["journal:read"], "reason": "copies"})
    token = pair.folder / "copies.token"
    token.write_text(made["result"]["token"])
    await pair.nodes[2].stop()
    day = 86_400 * 1_000_000
    pair.server.ask(f"UPDATE nodes SET seen = seen - {day}, since = since - {day} WHERE number = 2", "gate")
    assert (await block(pair, 1, "dan")).status == 200
    await pair.done(1, "PUT", "/v1/rooms/1", {"status": "closed", "reason": "quiet"})
    await pair.done(1, "PUT", "/v1/rooms/1", {"status": "open", "reason": "enough"})
    answer = await pair.ask(1, "POST", "/v1/lists/spam/words", {"line": "卖号", "reason": "seen"})
    assert answer.status == 200, answer
    messages = [(await pair.nodes[1].say("dawn", f"while it was away {number}")) for number in range(20)]
    assert [answer.status for answer in messages] == [201] * 20
    ids = {answer.headers["tidegate-message-id"] for answer in messages}
    config = pair.configs[2]
    text = config.read_text(encoding="utf-8")
    config.write_text(text + PEER.format(port=pair.nodes[1].control_port, token=token), encoding="utf-8")
    await pair.nodes[2].start()
    assert await refused(pair, 2, "dan")  # with its first message
    await both_well(pair)
    assert (await pair.nodes[2].say("dawn", "卖号卖号")).status == 403
    assert await says(pair, 2, "dee") == 201
    copied = pair.nodes[2].folders.root / "journal" / "node-1"

    async def whole() -> bool:
        files = await asyncio.to_thread(lambda: list(copied.rglob("*.jsonl")))
        found = b"".join([await asyncio.to_thread(file.read_bytes) for file in files])
        return all(one.encode() in found for one in ids)

    await soon(whole, AGAIN)
    told_of = (await pair.ask(1, "GET", "/v1/nodes")).json()["nodes"]
    assert [(one["number"], one["lives"], one["older"]) for one in told_of] == [(1, True, False), (2, True, False)]
