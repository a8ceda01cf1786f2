"""Before sockets open: whose state it is, and whether its server keeps what it is given."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from gateway.common.folders import Folders
from gateway.config import load
from gateway.control.acts.database import Database
from gateway.node.admission import admit, database_id
from gateway.state.cold.embedded import binary
from gateway.state.cold.eviction import EvictionRefused
from gateway.state.cold.owner import NotOurs, encode, myself

CONFIG = """
[server]
listen = "127.0.0.1:0"
data_dir = "{data}"
[state]
url = "unix://{socket}"
[upstreams.platform]
servers = ["http://127.0.0.1:9"]
[policies.comment]
appeal = "off"
rules = [{{ check = "limit", action = "reject", on_error = "pass", ground = "x", limits = ["sender 9/{period}"] }}]
[[routes]]
name = "comments"
match = "POST /rooms/{{room}}/comments"
surface = "comment"
upstream = "platform"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.1/32"]
text = "json:/content"
"""


class Place:
    """A data folder and a server that may be told anything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "s.sock"
        self.folders = Folders(folder / "data")
        self.folders.make()
        self._process: subprocess.Popen[bytes] | None = None

    def config(self, period: str = "10s") -> Any:
        path = self.folder / "tidegate.toml"
        text = CONFIG.format(data=self.folders.root, socket=self.socket, period=period)
        path.write_text(text, encoding="utf-8")
        return load(path)

    async def start(self) -> Redis:
        argv = [binary(), "--port", "0", "--unixsocket", str(self.socket), "--save", "", "--dir", str(self.folder)]
        self._process = await asyncio.to_thread(subprocess.Popen, argv, stdout=subprocess.DEVNULL)
        client = Redis(unix_socket_path=str(self.socket))
        async with asyncio.timeout(20):
            while not self.socket.exists():
                await asyncio.sleep(0.01)
        return client

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("p"))
    yield made
    made.stop()
    shutil.rmtree(made.folder, ignore_errors=True)


async def test_a_server_that_is_away_is_no_reason(place: Place) -> None:
    await admit(place.config(), place.folders)


async def test_whose_it_is(place: Place) -> None:
    client = await place.start()
    config = place.config()
    await admit(config, place.folders)  # nobody's, and no database yet
    database = Database(place.folders.database(config))
    ours = database.origin
    database.close()
    await client.set("tg:owner", encode(myself(ours, 0, "here")))
    await admit(config, place.folders)
    await client.set("tg:owner", encode(myself("another", 7, "/var/other.sqlite3")))
    with pytest.raises(NotOurs, match=r"other\.sqlite3 of node 7 .*tidegate state claim"):
        await admit(config, place.folders)
    place.folders.database(config).unlink()
    with pytest.raises(NotOurs, match="none yet"):
        await admit(config, place.folders)
    await client.aclose()


async def test_what_it_evicts(place: Place) -> None:
    client = await place.start()
    await admit(place.config("1h"), place.folders)
    await client.config_set("maxmemory-policy", "volatile-lru")
    await admit(place.config(), place.folders)
    with pytest.raises(EvictionRefused, match="ten minutes"):
        await admit(place.config("1h"), place.folders)
    await client.config_set("maxmemory-policy", "allkeys-lru")
    with pytest.raises(EvictionRefused, match="allkeys-lru may evict blocks"):
        await admit(place.config(), place.folders)
    await client.aclose()


def test_the_id_is_read_beside_a_database_that_is_open(tmp_path: Path) -> None:
    path = tmp_path / "control.sqlite3"
    assert database_id(path) == ""
    database = Database(path)
    try:
        assert database_id(path) == database.origin
    finally:
        database.close()
    assert database_id(path) == database.origin
    os.truncate(path, 0)
    assert database_id(path) == ""
    path.write_bytes(b"no database" * 999)
    assert database_id(path) == ""
