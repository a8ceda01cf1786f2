"""Nothing of a person in any log."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from gateway.common import logs
from gateway.config.sections.control import Logs
from gateway.control.acts.refusal import ControlError
from gateway.generation.conversion import access_log

SECRET = "13800138000"


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure("debug", process="worker-3", stream=stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def lines(out: io.StringIO) -> list[Any]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_is_json_with_time_level_process_and_event(out: io.StringIO) -> None:
    structlog.get_logger().warning("journal.low_disk", free=12)
    (line,) = lines(out)
    assert (line["event"], line["level"], line["process"], line["free"]) == (
        "journal.low_disk",
        "warning",
        "worker-3",
        12,
    )
    assert line["timestamp"].endswith("Z")


def test_fields_with_a_personal_name_are_withheld(out: io.StringIO) -> None:
    structlog.get_logger().error("x", **dict.fromkeys(logs.PERSONAL, SECRET))
    assert SECRET not in out.getvalue()
    assert lines(out)[0]["sender"] == logs.WITHHELD


def test_exceptions_of_others_tell_class_and_place_only(out: io.StringIO) -> None:
    def reads() -> None:
        raise ValueError(SECRET)

    try:
        reads()
    except ValueError:
        structlog.get_logger().error("x", exc_info=True)
    try:
        raise ControlError(400, "control.invalid", SECRET)
    except ControlError as error:
        structlog.get_logger().error("y", exc_info=error)
    try:
        raise FileNotFoundError(2, "No such file or directory", SECRET)
    except OSError:
        structlog.get_logger().error("z", exc_info=True)
    assert SECRET not in out.getvalue()
    first, second, third = lines(out)
    assert first["error"] == "builtins.ValueError"
    assert first["frames"][-1].endswith(" reads")
    assert second["message"] == "control.invalid"
    assert third["message"] == "No such file or directory"


def test_libraries_are_heard_without_their_arguments(out: io.StringIO) -> None:
    logging.getLogger("redis").warning("could not %s", SECRET)
    logging.getLogger("redis").error(f"bad value {SECRET}")
    logging.getLogger("aiohttp.server").error("Error handling request from %s", SECRET)
    try:
        raise ValueError(SECRET)
    except ValueError:
        logging.getLogger("sqlalchemy").exception("failed")
    assert SECRET not in out.getvalue()
    told = lines(out)
    assert [line["library"] for line in told] == ["redis", "redis", "sqlalchemy"]
    assert told[0]["template"] == "could not %s"


def test_the_access_log_writes_once_for_many_lines() -> None:
    written: list[bytes] = []
    access = logs.AccessLog(written.append)
    for number in range(10):
        access.add("POST", "comments", 200, 17, seconds=0.0012345, request_id=f"r{number}")
    assert written == []
    access.flush()
    access.flush()
    assert len(written) == 1
    told = [json.loads(line) for line in written[0].splitlines()]
    assert len(told) == 10
    assert {key: told[0][key] for key in ("method", "route", "status", "sent", "ms", "request_id")} == {
        "method": "POST",
        "route": "comments",
        "status": 200,
        "sent": 17,
        "ms": 1.234,
        "request_id": "r0",
    }


def test_an_access_log_that_is_closed_writes_what_it_holds() -> None:
    written: list[bytes] = []
    access = logs.AccessLog(written.append, lambda: written.append(b"closed"))
    access.add("POST", "comments", 200, 17, seconds=0.001)
    access.close()
    assert (len(written), written[-1]) == (2, b"closed")


def test_lines_on_the_standard_error_do_not_wait_in_a_buffer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "stderr").open("w") as stream:
        monkeypatch.setattr("sys.stderr", stream)
        access = access_log(Logs(access=True))
        assert access is not None
        access.add("POST", "comments", 200, 17, seconds=0.001)
        access.flush()
        assert b"comments" in (tmp_path / "stderr").read_bytes()


def test_a_websocket_has_its_line() -> None:
    written: list[bytes] = []
    access = logs.AccessLog(written.append)
    access.add_socket("live", seconds=61.5, frames=(3, 400), sizes=(120, 52_000), code=1001)
    access.add_socket("raw", seconds=0.25, frames=(None, 1), sizes=(7, 5), code=1006)
    access.flush()
    judged, raw = (json.loads(line) for line in written[0].splitlines())
    assert judged.pop("time") > 1_700_000_000
    assert judged == {
        "method": "GET", "route": "live", "status": 101, "sent": 52_000, "received": 120, "ms": 61_500.0,
        "frames_up": 3, "frames_down": 400, "close": 1001,
    }  # fmt: skip
    assert (raw["frames_up"], raw["close"]) == (None, 1006)


def test_the_access_log_is_bounded_and_survives_a_full_disk() -> None:
    sizes: list[int] = []

    def full(data: bytes) -> None:
        sizes.append(len(data))
        raise OSError(28, "No space left on device")

    access = logs.AccessLog(full)
    for _ in range(5000):
        access.add("GET", "", 200, 0, seconds=0.1)
    access.flush()
    assert access.dropped == 5000
    assert max(sizes) < logs.FLUSH_AT + 1024
