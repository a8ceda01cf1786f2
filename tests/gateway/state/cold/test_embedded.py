"""The server of our own: private, and closed to what its user has no business with."""

import stat
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from gateway.state.cold import embedded


def test_files_are_private(tmp_path: Path) -> None:
    argv = embedded.prepare(tmp_path / "state", memory=256 << 20)
    assert Path(argv[0]).exists()
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    for name in ("password", "users.acl", "server.conf"):
        assert stat.S_IMODE((tmp_path / "state" / name).stat().st_mode) == 0o600
    password = embedded.access(tmp_path / "state")[1].password
    embedded.prepare(tmp_path / "state", memory=256 << 20)
    assert embedded.access(tmp_path / "state")[1].password == password
    assert password not in repr(embedded.access(tmp_path / "state"))


def test_no_place_and_no_program(tmp_path: Path) -> None:
    with pytest.raises(embedded.NoServer, match="shorter"):
        embedded.prepare(tmp_path / ("x" * 120), memory=64 << 20)
    with pytest.raises(embedded.NoServer, match="executable"):
        embedded.prepare(tmp_path / "state", memory=64 << 20, program="no-such-program")


@pytest.mark.parametrize(
    "command",
    [
        ("FLUSHALL",),
        ("FLUSHDB",),
        ("CONFIG", "GET", "*"),
        ("CONFIG", "SET", "dir", "/tmp"),
        ("MODULE", "LIST"),
        ("DEBUG", "SLEEP", "0"),
        ("RESTORE", "x", "0", "x"),
        ("SHUTDOWN",),
        ("REPLICAOF", "127.0.0.1", "1"),
        ("ACL", "LIST"),
        ("KEYS", "*"),
        ("MONITOR",),
        ("SCRIPT", "FLUSH"),
    ],
)
def test_what_the_user_may_not(server: Any, command: tuple[str, ...]) -> None:
    with pytest.raises(redis.exceptions.ResponseError, match=r"no permissions|not allowed"):
        server.cli(*command)


def test_nobody_else_gets_in(server: Any) -> None:
    address, _ = embedded.access(server.folder)
    once = Retry(NoBackoff(), 0)
    with (
        redis.Redis(unix_socket_path=address.path, retry=once) as client,
        pytest.raises(redis.exceptions.AuthenticationError),
    ):
        client.ping()


def test_governance_data_survive_memory_pressure(own_server: Any) -> None:
    """Only what expires is evicted."""
    own_server.cli("SET", "tg:1:a:{x}", "1 0 100")
    for number in range(90):
        own_server.cli("SET", f"tg:p:{number}", "x" * 1_000_000, "PX", "600000")
    assert own_server.cli("GET", "tg:1:a:{x}") == b"1 0 100"
    assert own_server.cli("GET", "tg:p:0") is None or own_server.cli("DBSIZE") < 91


async def test_a_stop_loses_nothing(own_server: Any) -> None:
    own_server.cli("SET", "tg:epoch", "77")
    own_server.stop()
    await own_server.start_aside()
    assert own_server.cli("GET", "tg:epoch") == b"77"
