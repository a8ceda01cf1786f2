"""One stream of lines, and nothing of a person in any."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import string
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from gateway.control.acts.refusal import ControlError
from gateway.logs import logs

SECRET = "13800138000"


@pytest.fixture
def out(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    monkeypatch.setenv(logs.NODE, "")
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure("debug", process="worker-3", node=7, stream=stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def lines(out: io.StringIO) -> list[Any]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_is_json_and_begins_with_the_common_keys(out: io.StringIO) -> None:
    structlog.get_logger().warning("journal.low_disk", free=12)
    (line,) = lines(out)
    assert list(line) == [*logs.COMMON, "free"]
    ts = line.pop("ts")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", ts)
    assert datetime.fromisoformat(ts).utcoffset() == timedelta(0)
    assert line == {
        "level": "warning", "event": "journal.low_disk", "process": "worker-3", "node": 7, "pid": os.getpid(),
        "free": 12,
    }  # fmt: skip


def test_every_level_goes_by_its_own_name(out: io.StringIO) -> None:
    log = structlog.get_logger()
    for level in ("debug", "info", "warning", "error", "critical"):
        getattr(log, level)("x")
        log.log(logging.getLevelNamesMapping()[level.upper()], "x")
    log.exception("x")
    assert [line["level"] for line in lines(out)] == [
        "debug", "debug", "info", "info", "warning", "warning", "error", "error", "critical", "critical", "error"
    ]  # fmt: skip


def test_processes_know_their_node_before_they_read_a_configuration(out: io.StringIO) -> None:
    """It is in the environment that they inherit."""
    logs.configure(process="compiler", stream=out)
    structlog.get_logger().info("x")
    assert [(line["process"], line["node"]) for line in lines(out)] == [("compiler", 7)]


def test_what_json_cannot_say_is_a_line_all_the_same(out: io.StringIO) -> None:
    structlog.get_logger().info("x", file="half a character \ud83d", number=1 << 70, path=Path("/a"), keys={1: "one"})
    (line,) = lines(out)
    assert (line["number"], line["path"]) == (1 << 70, "/a")


@given(
    st.dictionaries(
        st.text(string.ascii_lowercase, min_size=1, max_size=20),
        st.one_of(st.text(max_size=9000), st.lists(st.text(max_size=900), max_size=40), st.integers(), st.none()),
        max_size=8,
    )
)
def test_no_line_is_longer_than_what_a_pipe_keeps_whole(fields: dict[str, Any]) -> None:
    common = dict.fromkeys(logs.COMMON, "x")
    line = logs.rendered({**fields, **common})
    assert len(line.encode()) + 1 <= logs.LONGEST
    told = json.loads(line)
    assert {key: told[key] for key in logs.COMMON} == common
    assert "\n" not in line
    for key, value in told.items():
        whole = {**fields, **common}[key]
        assert value == whole or logs.CUT in value, key


def test_a_long_line_keeps_what_is_short_and_says_that_something_is_left_out(out: io.StringIO) -> None:
    structlog.get_logger().error("reload.refused", generation=3, problems=[f"{n}: {'x' * 90}" for n in range(100)])
    (line,) = lines(out)
    assert (line["generation"], line["problems"][0][:3], line["problems"][-1]) == (3, "0: ", logs.CUT)
    assert len(line["problems"]) > 20


def test_a_stream_that_nobody_takes_fails_nothing(out: io.StringIO) -> None:
    out.close()
    structlog.get_logger().error("x")


def test_for_a_person_a_line_is_no_json(out: io.StringIO) -> None:
    logs.configure(process="worker-3", stream=out, console=True)
    structlog.get_logger().warning("journal.low_disk", free=12)
    told = out.getvalue()
    assert told.startswith("20")
    assert ("[warning" in told, "journal.low_disk" in told, "free=12" in told, "{" in told, "pid" in told) == (
        True,
        True,
        True,
        False,
        False,
    )


PROGRAM = """
import ssl, sys, threading, warnings
from gateway.logs import logs
logs.own_up("tool")
secret = "13800138000"
warnings.warn(secret)
def fails(): raise ValueError(secret)
thread = threading.Thread(target=fails)
thread.start()
thread.join()
class Broken:
    def __del__(self): raise KeyError(secret)
Broken()
def named(*_): pass
here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
here.sni_callback = named
there = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
hello, answer = ssl.MemoryBIO(), ssl.MemoryBIO()
asking = there.wrap_bio(answer, hello, server_hostname="a.example")
try: asking.do_handshake()
except ssl.SSLWantReadError: pass
shown = hello.read().replace(b"a.example", b"\\xff.example")
hello.write(shown)
try: here.wrap_bio(hello, answer, server_side=True).do_handshake()
except ssl.SSLError: pass
fails()
"""


def test_the_interpreters_own_words_are_lines_and_quote_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=False)
    assert (done.returncode, done.stdout, SECRET in done.stderr.decode()) == (1, b"", False)
    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(line["event"], line["level"], line["process"]) for line in told] == [
        ("python.warning", "warning", "tool"), *[("exception.unhandled", "critical", "tool")] * 3
    ]  # fmt: skip
    assert [line["where"] for line in told[1:]] == ["thread", "finalizer", "main"]
    assert [line["error"] for line in told[1:]] == ["builtins.ValueError", "builtins.KeyError", "builtins.ValueError"]


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
