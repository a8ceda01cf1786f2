"""A database on a server that can be killed, stopped, paused, read-only, and asked by two at once."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from gateway.common.folders import DatabaseServer, PostgresqlSettings
from gateway.control.acts import postgresql, schema
from gateway.control.acts.acts import Intent, perform
from gateway.control.acts.database import Database
from gateway.control.acts.refusal import DatabaseInUse, DatabaseUnavailable, OutcomeUnknown
from gateway.control.acts.rows import Act, Mark, Origin
from gateway.control.blocks.rows import Block
from gateway.control.features import GOVERNANCE
from rig.postgresql import Postgres

T = TypeVar("T")

QUICK = PostgresqlSettings(connect_timeout=1.0, statement_timeout=1.0, lock_timeout=0.5, max_wait=0.5)


def block(session: Session, sender: str, uid: str = "") -> int:
    intent = Intent(uid or f"act-{sender}", "ann", "because", "block.create", f"sender:{sender}")
    made = Block(scope="sender", value=sender, reason="r", ground="g", created_at=1_800_000_000_000_000)
    return perform(session, intent, lambda unit: unit.add(made), GOVERNANCE).act


def names(session: Session) -> list[str]:
    return list(session.scalars(select(Block.value).order_by(Block.id)))


def blocked(database: Database) -> list[str]:
    return database.now(names, reading=True)


def back(database: Database, work: Callable[[Session], T]) -> T:
    """What ``work`` gives once the database has seen that its server is there again: for a moment after a failed try
    nobody tries again (``AGAIN_AFTER``), however soon the server was back."""
    until = time.monotonic() + 60
    while True:
        try:
            return database.now(work)
        except DatabaseUnavailable:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


@pytest.fixture
def own(postgres: Postgres) -> Iterator[Postgres]:
    """A server of this test's own, to be killed; there is one where ``postgres`` is."""
    with Postgres() as made:
        yield made


@pytest.fixture
def database(server_place: DatabaseServer) -> Iterator[Database]:
    made = Database(server_place._replace(settings=QUICK))
    yield made
    made.close()


def test_acts_are_kept_with_times_and_texts_as_they_were(database: Database) -> None:
    odd = "a\0b\ufdd00 弹幕"
    database.now(lambda session: block(session, odd))
    assert blocked(database) == [odd]
    act = database.now(lambda session: session.scalars(select(Act)).one(), reading=True)
    assert act.changes[0]["after"]["value"] == odd
    assert act.changes[0]["after"]["created_at"] == 1_800_000_000_000_000
    assert database.now(lambda session: session.scalar(select(Block.id).where(Block.value == odd)), reading=True) == 1


def test_texts_are_in_the_order_of_their_code_points(database: Database) -> None:
    for name in ("b", "B", "é", "Z", "a"):
        database.now(lambda session, name=name: block(session, name))  # type: ignore[misc]
    told = database.now(lambda session: session.scalars(select(Block.value).order_by(Block.value)).all(), reading=True)
    assert list(told) == sorted(("b", "B", "é", "Z", "a"))


def test_controls_serve_it_together_and_whoever_wants_it_alone_waits(server_place: DatabaseServer) -> None:
    two = [Database(server_place, serving=True) for _ in range(2)]
    for number, database in enumerate(two):
        database.now(lambda session, number=number: block(session, f"s{number}"))  # type: ignore[misc]
    assert [blocked(database) for database in two] == [["s0", "s1"]] * 2
    with pytest.raises(DatabaseInUse, match="another control process"):
        Database(server_place)
    for database in two:
        database.close()
    alone = Database(server_place)
    with pytest.raises(DatabaseUnavailable, match="held by somebody who wants it alone"):
        Database(server_place, serving=True)
    alone.close()


def test_a_look_needs_nobody_s_leave(database: Database, server_place: DatabaseServer) -> None:
    with pytest.raises(DatabaseInUse, match="another control process"):
        Database(server_place)
    beside = Database(server_place, migrated=False, sole=False)
    assert beside.now(lambda session: session.scalar(select(Origin.id)), reading=True) == database.origin
    beside.close()
    database.close()
    Database(server_place).close()  # and the lock was given back


def test_two_migrate_at_once_and_one_does_it(postgres: Postgres) -> None:
    place = DatabaseServer(postgres.create("twice"))
    start = threading.Barrier(4)

    def opened() -> str:
        start.wait()
        made = Database(place, sole=False)
        made.close()
        return made.origin

    with ThreadPoolExecutor(4) as pool:
        origins = {one.result() for one in [pool.submit(opened) for _ in range(4)]}
    assert len(origins) == 1
    assert postgres.ask("SELECT count(*) FROM origin", "twice") == [(1,)]
    postgres.drop("twice")


def test_acts_of_two_follow_one_another(server_place: DatabaseServer) -> None:
    """Each looks before it writes; both look at what the other has committed."""
    two = [Database(server_place, sole=False) for _ in range(2)]

    def raised(database: Database) -> None:
        for _ in range(50):
            database.now(_count)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(raised, two))
    assert two[0].now(lambda session: session.get_one(Mark, "n").value, reading=True) == 100
    for database in two:
        database.close()


def _count(session: Session) -> None:
    mark = session.get(Mark, "n")
    if mark is None:
        session.add(Mark(name="n", value=1))
    else:
        mark.value += 1


def test_a_schema_of_the_next_release_is_used_and_one_beyond_it_is_told(server_place: DatabaseServer) -> None:
    def number(value: int) -> None:
        made = Database(server_place)
        made.now(lambda session: session.execute(text(f"UPDATE marks SET value = {value} WHERE name = 'schema'")))
        made.now(lambda session: session.execute(text("UPDATE alembic_version SET version_num = 'later'")))
        made.close()

    assert schema.problem(server_place) == ""
    number(schema.RELEASE + 1)
    assert schema.problem(server_place) == ""
    Database(server_place).close()
    number(schema.RELEASE + 2)
    assert "newer than the next" in schema.problem(server_place)
    with pytest.raises(DatabaseUnavailable, match="newer than the next"):
        Database(server_place)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda url: url.replace("gate-", "gote-"), "refuses us"),
        (lambda url: url.rpartition("/")[0] + "/nobody_made_it", "has no database of that name"),
        (lambda url: url + "?sslmode=require", "TLS"),
        (lambda url: url + "?colour=blue", "URL that the driver does not take"),
        (lambda url: "postgresql://tidegate@127.0.0.1:1/x", "nobody listens there"),
    ],
)
def test_what_is_wrong_is_told_without_the_password(
    server_place: DatabaseServer, change: Any, told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DatabaseUnavailable, match=told) as error:
        Database(DatabaseServer(change(server_place.url), settings=QUICK))
    heard = f"{error.value} {error.value.detail} {capfd.readouterr()}"
    assert "gate-" not in heard
    assert "gote-" not in heard


def test_the_password_may_stand_beside_the_url(postgres: Postgres, server_place: DatabaseServer) -> None:
    from rig.postgresql import PASSWORD

    name = server_place.url.rpartition("/")[2]
    Database(DatabaseServer(postgres.url(name, password=False), PASSWORD)).close()


def test_a_socket_of_the_machine(postgres: Postgres, server_place: DatabaseServer) -> None:
    name = server_place.url.rpartition("/")[2]
    Database(DatabaseServer(f"postgresql:///{name}?host={postgres.folder}&port={postgres.port}&user=tidegate")).close()


def test_a_connection_that_was_cut_is_made_anew(database: Database, postgres: Postgres) -> None:
    lives = database.lives
    postgres.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'tidegate %'")
    database.now(lambda session: block(session, "bob"))
    assert blocked(database) == ["bob"]
    assert database.lives == lives + 1
    assert database.problem == ""


def test_a_statement_that_takes_too_long_is_given_up(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable, match="did not finish in time"):
        database.now(lambda session: session.execute(text("SELECT pg_sleep(20)")))
    database.now(lambda session: block(session, "bob"))
    assert database.problem == ""


def test_an_act_waits_for_another_not_longer_than_it_may(database: Database, server_place: DatabaseServer) -> None:
    beside = Database(server_place, sole=False)
    held, free = threading.Event(), threading.Event()

    def holding(session: Session) -> None:
        held.set()
        free.wait(20)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(beside.now, holding)
        held.wait(20)
        with pytest.raises(DatabaseUnavailable, match="busy with what somebody else does"):
            database.now(lambda session: block(session, "bob"))
        free.set()
        waiting.result()
    database.now(lambda session: block(session, "bob"))
    beside.close()


def test_what_cannot_be_done_beside_others_is_done_again(database: Database) -> None:
    tries = []

    def work(session: Session) -> int:
        tries.append(1)
        if len(tries) < 3:
            session.execute(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$"))
        return block(session, "bob")

    database.now(work)
    assert blocked(database) == ["bob"]
    assert len(tries) == 3
    always = "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40P01'; END $$"
    with pytest.raises(DatabaseUnavailable, match="beside what others do"):
        database.now(lambda session: session.execute(text(always)))


async def test_a_call_waits_for_those_before_it_not_longer_than_it_may(database: Database) -> None:
    slow = asyncio.create_task(database.run(lambda session: session.execute(text("SELECT pg_sleep(0.9)"))))
    await asyncio.sleep(0)
    with pytest.raises(DatabaseUnavailable, match="busy with what was asked before"):
        await database.run(lambda session: block(session, "bob"))
    await slow
    assert blocked(database) == []


def test_read_only_is_told_and_still_read(database: Database, postgres: Postgres) -> None:
    database.now(lambda session: block(session, "bob"))
    name = database.place.url.rpartition("/")[2]  # type: ignore[union-attr]
    postgres.ask(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    postgres.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'tidegate %'")
    with pytest.raises(DatabaseUnavailable, match="is read-only"):
        database.now(lambda session: block(session, "carol"))
    assert blocked(database) == ["bob"]
    assert database.problem == "is read-only"
    database.close()
    Database(database.place).close()  # its schema is ours: there is nothing to write
    postgres.ask(f"ALTER DATABASE {name} RESET default_transaction_read_only")


def test_a_replica_is_read_and_served_when_it_takes_over(own: Postgres) -> None:
    url = own.create("gate")
    first = Database(DatabaseServer(url))
    first.now(lambda session: block(session, "bob"))
    first.close()
    with Postgres(own) as replica:
        both = url.replace(f":{own.port}/", f":{own.port},127.0.0.1:{replica.port}/")
        only = url.replace(f":{own.port}/", f":{replica.port}/")
        read = Database(DatabaseServer(only, settings=QUICK))
        assert blocked(read) == ["bob"]
        with pytest.raises(DatabaseUnavailable, match="is read-only"):
            read.now(lambda session: block(session, "carol"))
        read.close()
        database = Database(DatabaseServer(f"{both}?target_session_attrs=read-write", settings=QUICK))
        own.kill()
        with pytest.raises(DatabaseUnavailable):
            database.now(lambda session: block(session, "carol"))
        replica.promote()
        back(database, lambda session: block(session, "carol"))
        assert blocked(database) == ["bob", "carol"]
        database.close()


def test_a_commit_whose_answer_is_lost_is_looked_for(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection goes in the moment of the commit: once behind it, once before it."""
    real = Session.commit
    behind = [True, False]

    def cut(session: Session) -> None:
        driver: Any = session.connection().connection.driver_connection
        if not behind:
            real(session)
        elif behind.pop(0):
            driver.pgconn.exec_(b"COMMIT")
            driver.pgconn.finish()
            real(session)
        else:
            driver.pgconn.finish()
            real(session)

    monkeypatch.setattr(Session, "commit", cut)

    def done(uid: str) -> Any:
        return lambda session: session.scalar(select(Act.id).where(Act.uid == uid)) is not None

    number = asyncio.run(database.run(lambda session: block(session, "bob", "one"), done("one")))
    assert number == 1
    with pytest.raises(DatabaseUnavailable) as error:
        asyncio.run(database.run(lambda session: block(session, "carol", "two"), done("two")))
    assert not isinstance(error.value, OutcomeUnknown)
    assert blocked(database) == ["bob"]


def test_killed_in_the_middle_of_acts(own: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was said to be done is there, what was said not to be is not, as often as the server dies."""
    monkeypatch.setattr("gateway.control.acts.database.SETTLED_WITHIN", 60.0)  # the server may start slowly here
    place = DatabaseServer(own.create("gate"), settings=PostgresqlSettings(1.0, 5.0, 5.0, 5.0))
    database = Database(place)
    stop = threading.Event()
    done: list[str] = []
    refused: list[str] = []
    unknown: list[str] = []

    def acting() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            uid = f"act-{number}"

            def there(session: Session, uid: str = uid) -> bool:
                return session.scalar(select(Act.id).where(Act.uid == uid)) is not None

            try:
                asyncio.run(database.run(lambda session, uid=uid: block(session, uid, uid), there))  # type: ignore[misc]
            except OutcomeUnknown:
                unknown.append(uid)
            except DatabaseUnavailable:
                refused.append(uid)
                stop.wait(0.02)
            else:
                done.append(uid)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(acting)
        for _ in range(5):
            many = len(done)
            while len(done) < many + 20 and not running.done():
                stop.wait(0.01)
            own.kill()
            own.start()
        stop.set()
        running.result()
    held = set(back(database, names))
    assert set(done) <= held
    assert not set(refused) & held
    assert held <= {*done, *unknown}
    assert unknown == []  # the server was back in time each time
    database.close()


def test_a_server_that_hangs_is_told_in_time(own: Postgres) -> None:
    place = DatabaseServer(own.create("gate"), settings=QUICK)
    database = Database(place)
    own.pause()
    try:

        async def asked() -> None:
            first = asyncio.create_task(database.run(lambda session: block(session, "bob")))
            await asyncio.sleep(0)
            with pytest.raises(DatabaseUnavailable, match="busy with what was asked before"):
                await database.run(lambda session: block(session, "carol"))
            own.resume()
            await first

        asyncio.run(asked())
    finally:
        own.resume()
    assert blocked(database) == ["bob"]
    database.close()


def test_reasons_are_found_by_code() -> None:
    class Told:
        sqlstate = "57P03"

    assert postgresql.reason(Told()) == "is starting or ending"
    assert postgresql.reason(None) == ""
