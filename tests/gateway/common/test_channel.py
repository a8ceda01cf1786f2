"""JSON lines over a unix socket: bounded, ordered, and not broken by a handler that fails."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.common import channel
from gateway.common.channel import ChannelError, call


async def _later(command: dict[str, Any]) -> dict[str, Any]:
    await asyncio.sleep(0)
    return {"later": command["n"]}


def _fails(_: dict[str, Any]) -> dict[str, Any]:
    raise ValueError("13800138000")


@pytest.fixture
async def path(tmp_path: Path) -> AsyncIterator[Path]:
    held = asyncio.Event()

    async def never(_: dict[str, Any]) -> dict[str, Any]:
        await held.wait()
        return {}

    handlers = {
        "echo": lambda command: {"got": command},
        "later": _later,
        "fails": _fails,
        "never": never,
        "large": lambda _: {"x": "y" * channel.MAX_LINE},
    }
    served = await channel.serve(tmp_path / "c.sock", handlers)
    yield served.path
    await served.close()
    assert not served.path.exists()


async def test_a_command_is_answered(path: Path) -> None:
    assert await call(path, {"command": "echo", "x": "王"}, 30) == {"got": {"command": "echo", "x": "王"}}
    assert await call(path, {"command": "later", "n": 3}, 30) == {"later": 3}
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600  # noqa: PTH116


async def test_failures_are_answers_without_what_was_read(path: Path) -> None:
    assert await call(path, {"command": "nothing"}, 30) == {"error": "unknown_command"}
    assert await call(path, {}, 30) == {"error": "unknown_command"}
    assert await call(path, {"command": "fails"}, 30) == {"error": "failed: ValueError"}
    assert await call(path, {"command": "large"}, 30) == {"error": "too_large"}
    assert await call(path, {"command": "echo"}, 30) == {"got": {"command": "echo"}}


async def test_garbage_is_answered_and_commands_stay_in_order(path: Path) -> None:
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(b'garbage\n[1]\n{"command":"later","n":1}\n{"command":"echo"}\n')
    told = [await reader.readline() for _ in range(4)]
    assert told == [
        b'{"error":"garbage"}\n',
        b'{"error":"garbage"}\n',
        b'{"later":1}\n',
        b'{"got":{"command":"echo"}}\n',
    ]
    writer.close()
    await writer.wait_closed()


async def test_a_line_beyond_the_bound_ends_the_connection(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(b"x" * (channel.MAX_LINE + 2) + b"\n")
    assert await reader.readline() == b'{"error":"too_large"}\n'
    with pytest.raises(ConnectionError):
        while await reader.read(1):
            pass
        raise ConnectionError
    writer.close()
    with pytest.raises(ChannelError, match="too_large"):
        await call(path, {"command": "x" * channel.MAX_LINE}, 30)


async def test_every_way_of_having_no_answer_has_a_cause(path: Path, tmp_path: Path) -> None:
    with pytest.raises(ChannelError, match="absent"):
        await call(tmp_path / "nowhere.sock", {"command": "echo"}, 1)
    with pytest.raises(ChannelError, match="timeout"):
        await call(path, {"command": "never"}, 0.05)
    left = tmp_path / "left.sock"
    server = await asyncio.start_unix_server(lambda r, w: w.close(), path=str(left))
    with pytest.raises(ChannelError, match="closed"):
        await call(left, {"command": "echo"}, 1)

    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"[]\n")
        writer.close()

    server.close()
    await server.wait_closed()
    left.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(nonsense, path=str(left))
    with pytest.raises(ChannelError, match="garbage"):
        await call(left, {"command": "echo"}, 1)
    server.close()
    await server.wait_closed()


async def test_a_socket_left_by_a_dead_process_is_refused_and_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "c.sock"
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()
    with pytest.raises(ChannelError, match="refused"):
        await call(path, {"command": "echo"}, 30)
    served = await channel.serve(path, {"echo": lambda _: {"ok": True}})
    assert await call(path, {"command": "echo"}, 30) == {"ok": True}
    await served.close()


async def test_closing_hangs_up_on_who_is_waiting(path: Path, tmp_path: Path) -> None:
    gate = asyncio.Event()

    async def never(_: dict[str, Any]) -> dict[str, Any]:
        gate.set()
        await asyncio.Event().wait()
        return {}

    served = await channel.serve(tmp_path / "d.sock", {"never": never})
    asking = asyncio.create_task(call(served.path, {"command": "never"}, 5))
    await gate.wait()
    await served.close()
    with pytest.raises(ChannelError, match="closed"):
        await asking
