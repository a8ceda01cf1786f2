"""What every test may use."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Awaitable, Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from gateway.common.folders import DatabasePlace, DatabaseServer
from rig.postgresql import Postgres, programs

pytest_plugins = ("tests.interpreted",)

# A property is about values: how long one example takes on a busy machine says nothing.
settings.register_profile("tidegate", deadline=None)
settings.load_profile("tidegate")

Condition = Callable[[], Any]


@pytest.fixture
def eventually() -> Callable[[Condition, float], Awaitable[Any]]:
    """Wait for something that another process does: asks every 10 ms, fails after ``within`` seconds.

    Gives back the first true value. For things of this process use an event or a fake clock instead.
    """

    async def wait(condition: Condition, within: float = 10.0) -> Any:
        async with asyncio.timeout(within):
            while not (value := condition()):
                await asyncio.sleep(0.01)
            return value

    return wait


ON_SERVER = os.environ.get("TIDEGATE_TEST_DATABASE") == "postgresql"  # `make nodes`
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of our own, for as long as tests run."""
    for what, there in (("the server", programs()), ("psycopg", find_spec("psycopg"))):
        if there is None:
            pytest.skip(f"postgres: {what} is not installed")
    with Postgres() as made:
        yield made


@pytest.fixture(scope="session")
def migrated_template(postgres: Postgres) -> str:
    """A database with our schema in it: migrating one for each test would be most of the tests' time."""
    from gateway.control.acts.database import Database

    Database(DatabaseServer(postgres.create("migrated"))).close()
    return "migrated"


@pytest.fixture
def server_place(postgres: Postgres, migrated_template: str) -> Iterator[DatabaseServer]:
    """A control database on the server, with our schema and no rows but its id."""
    name = f"t{next(_NUMBERS)}"
    yield DatabaseServer(postgres.create(name, migrated_template))
    postgres.drop(name)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a file."""
    from gateway.control.acts.database import Database

    path = tmp_path_factory.mktemp("migrated") / "control.sqlite3"
    Database(path).close()
    return path


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> DatabasePlace:
    """A control database: a file, or on the server where these tests are run for that."""
    if ON_SERVER:
        found: DatabaseServer = request.getfixturevalue("server_place")
        return found
    path = tmp_path / "control.sqlite3"
    path.write_bytes(request.getfixturevalue("migrated").read_bytes())
    return path
