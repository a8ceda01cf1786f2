"""The access log: bounded, whole lines, and never a reason to stand still."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway import config
from gateway.common.metrics import Count
from gateway.config import Config
from gateway.generation.conversion import access_log
from gateway.http.wire.head import METHODS
from gateway.logs import access_log as access_log_module
from gateway.logs.access_log import AccessLog, write_lines
from gateway.logs.logs import COMMON, LONGEST

NAMED = {"process": "worker-0", "node": 0, "pid": 17}
LONG = 30.0  # seconds that no test takes


def log(write: Callable[[bytes], object], close: Callable[[], object] | None = None, **more: Any) -> AccessLog:
    return AccessLog(write, close, dropped=more.pop("dropped", Count()), named=NAMED, **more)


def add(to: AccessLog, number: int = 0) -> None:
    to.add(
        "POST", "comments", "/api/articles/{room}/comments", 202, seconds=0.0012345, sizes=(31, 17),
        request_id=f"r{number}", message_id="m1", trace_id="0af7651916cd43dd8448eb211c80319c",
    )  # fmt: skip


def test_a_line_tells_route_template_and_ids_and_no_address() -> None:
    written: list[bytes] = []
    told = log(written.append)
    add(told)
    told.close(LONG)
    line = json.loads(written[0])
    assert list(line)[: len(COMMON)] == list(COMMON)
    when = datetime.fromisoformat(line.pop("ts"))
    assert timedelta(0) <= datetime.now(UTC) - when < timedelta(minutes=1)
    assert line == {
        "level": "info", "event": "access", **NAMED, "method": "POST", "route": "comments",
        "path": "/api/articles/{room}/comments", "status": 202, "ms": 1.234, "received": 31, "sent": 17,
        "request_id": "r0", "message_id": "m1", "trace_id": "0af7651916cd43dd8448eb211c80319c", "reason": "",
        "ended": "whole",
    }  # fmt: skip


def test_a_method_is_one_of_a_few_whatever_a_client_writes() -> None:
    """A token of 8 KiB is a method too (RFC 9110 section 9.1), and may hold a name."""
    written: list[bytes] = []
    told = log(written.append)
    for method in (*METHODS, "get", "PROPFIND", "ALICE" * 1500):
        told.add(method.decode() if isinstance(method, bytes) else method, "", "", 400, seconds=0.0, sizes=(0, 0))
    told.close(LONG)
    lines = written[0].splitlines(keepends=True)
    assert [json.loads(line)["method"] for line in lines] == [*(each.decode() for each in METHODS), *["other"] * 3]
    assert max(map(len, lines)) <= LONGEST


def test_many_lines_are_written_at_once_and_in_order() -> None:
    written: list[bytes] = []
    told = log(written.append)
    for number in range(10):
        add(told, number)
    told.flush()
    told.flush()
    told.close(LONG)
    assert len(written) == 1
    assert [json.loads(line)["request_id"] for line in written[0].splitlines()] == [f"r{n}" for n in range(10)]


def test_what_is_closed_writes_what_it_holds_and_then_closes_its_file() -> None:
    written: list[bytes] = []
    told = log(written.append, lambda: written.append(b"closed"))
    add(told)
    told.close(LONG)
    assert (len(written), written[-1]) == (2, b"closed")
    idle = log(written.append, lambda: written.append(b"idle"))
    idle.close()
    assert written[-1] == b"idle"


def test_a_websocket_has_its_line() -> None:
    written: list[bytes] = []
    told = log(written.append)
    told.add_socket("live", "/live/{room}", seconds=61.5, frames=(3, 400), sizes=(120, 52_000), code=1001)
    told.add_socket(
        "raw", "/raw", seconds=0.25, frames=(None, 1), sizes=(7, 5), code=1006, request_id="r", trace_id="t"
    )
    told.close(LONG)
    judged, raw = (json.loads(line) for line in written[0].splitlines())
    assert {key: judged[key] for key in judged if key not in COMMON} == {
        "method": "GET", "route": "live", "path": "/live/{room}", "status": 101, "ms": 61_500.0, "received": 120,
        "sent": 52_000, "frames_up": 3, "frames_down": 400, "close": 1001, "request_id": "", "trace_id": "",
    }  # fmt: skip
    assert (raw["frames_up"], raw["close"], raw["request_id"], raw["trace_id"]) == (None, 1006, "r", "t")


def test_a_reader_that_stands_still_holds_up_nobody_and_what_it_misses_is_counted() -> None:
    """What waits is bounded; the rest is dropped, and counted to the line."""
    goes_on = threading.Event()
    written: list[bytes] = []

    def stuck(data: bytes) -> None:
        goes_on.wait(LONG)
        written.append(data)

    dropped = Count()
    told = log(stuck, dropped=dropped)
    for number in range(20_000):  # some five megabytes
        add(told, number)
    told.flush()
    assert dropped.value > 10_000
    told.close()  # at once, although nothing was taken yet
    goes_on.set()
    told.close(LONG)
    kept = sum(data.count(b"\n") for data in written)
    assert kept + dropped.value == 20_000
    assert sum(map(len, written)) <= access_log_module.MOST_WAITING


def test_a_full_disk_is_counted_and_the_count_outlives_the_log() -> None:
    sizes: list[int] = []

    def full(data: bytes) -> None:
        sizes.append(len(data))
        raise OSError(28, "No space left on device")

    dropped = Count()
    for _ in range(2):
        told = log(full, dropped=dropped)
        for _ in range(2000):
            add(told)
        told.close(LONG)
    assert dropped.value == 4000
    assert max(sizes) < access_log_module.FLUSH_AT + 1024


def test_lines_of_several_processes_never_mix_in_a_pipe() -> None:
    """A pipe keeps 4,096 bytes whole (pipe(7)), so that a write is never more, and never half a line."""
    reading, writing = os.pipe()
    lines = [b"%d %s\n" % (n, b"x" * (n * 37 % 900)) for n in range(300)]
    got: list[bytes] = []

    def read() -> None:
        with os.fdopen(reading, "rb") as stream:
            got.extend(stream.readlines())

    reader = threading.Thread(target=read)
    reader.start()
    both = [threading.Thread(target=write_lines, args=(writing, b"".join(lines))) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    os.close(writing)
    reader.join()
    assert sorted(got) == sorted(lines * 2)


def test_no_write_is_larger_than_a_pipe_keeps_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[bytes] = []

    def write(_descriptor: int, data: memoryview) -> int:
        sizes.append(bytes(data))
        return len(data)

    monkeypatch.setattr("gateway.logs.access_log.os.write", write)
    lines = b"".join(b"x" * (n * 37 % 900) + b"\n" for n in range(300))
    write_lines(1, lines)
    assert b"".join(sizes) == lines
    assert all(len(piece) <= access_log_module.PIECE and piece.endswith(b"\n") for piece in sizes)
    write_lines(1, b"y" * 9000 + b"\nz\n")  # a line that is longer goes whole, and alone
    assert sizes[-2:] == [b"y" * 9000 + b"\n", b"z\n"]


def test_for_a_person_a_line_is_short() -> None:
    written: list[bytes] = []
    told = log(written.append, readable=True)
    add(told)
    told.close(LONG)
    line = written[0].decode()
    assert "POST /api/articles/{room}/comments 202 1.234 ms" in line
    assert ('{"' in line, "message_id=m1" in line) == (False, True)


def configured(folder: Path, text: str) -> Config:
    path = folder / "tidegate.toml"
    path.write_text(f'[upstreams.platform]\nservers = ["http://127.0.0.1:9"]\n[logs]\n{text}', encoding="utf-8")
    return config.load(path)


def test_lines_on_the_standard_error_do_not_wait_in_a_buffer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "stderr").open("w") as stream:
        monkeypatch.setattr("sys.stderr", stream)
        told = access_log(configured(tmp_path, "access = true"), "worker-1", Count())
        assert told is not None
        add(told)
        told.close(LONG)
        line = json.loads((tmp_path / "stderr").read_bytes())
    assert (line["process"], line["node"], line["pid"]) == ("worker-1", 0, os.getpid())


def test_it_is_off_unless_asked_for(tmp_path: Path) -> None:
    assert access_log(configured(tmp_path, ""), "worker-1", Count()) is None
