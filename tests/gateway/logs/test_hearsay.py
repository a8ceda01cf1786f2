"""Lines of others become lines of ours."""

from __future__ import annotations

import json

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gateway.common.posix import LONGEST_LINE
from gateway.logs import hearsay
from gateway.logs.hearsay import Splitter, gist, pass_on

OURS = {
    "ts": "2026-11-29T12:57:07.123456Z", "level": "error", "event": "lists.changes_failed", "process": "control",
    "node": 3, "pid": 12, "kind": "OperationalError",
}  # fmt: skip


@pytest.fixture(autouse=True)
def of_any_weight() -> None:
    """Whatever level another test has configured."""
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("mark", "level"), [(".", "debug"), ("-", "debug"), ("*", "info"), ("#", "warning")]
)  # fmt: skip
def test_the_state_servers_lines_keep_their_weight(mark: str, level: str) -> None:
    with capture_logs() as told:
        pass_on(f"4711:M 29 Nov 2026 12:57:07.123 {mark} WARNING Memory overcommit must be enabled!", "state", 4711)
    assert told == [
        {
            "event": "child.said", "log_level": level, "process": "state", "pid": 4711,
            "said": "WARNING Memory overcommit must be enabled!",
        }
    ]  # fmt: skip


def test_what_the_state_server_says_of_a_signal_is_no_warning_and_without_its_prefix() -> None:
    with capture_logs() as told:
        words = pass_on("25122:signal-handler (1795961509) Received SIGTERM scheduling shutdown...", "state", 25122)
    assert words == told[0]["said"] == "Received SIGTERM scheduling shutdown..."
    assert told[0]["log_level"] == "info"


@pytest.mark.parametrize(
    "line",
    [
        "Fatal Python error: Segmentation fault",
        "4711:M no line of a server",
        '{"event": "half a lin',
        '{"event": "not ours"}',
        "[1, 2]",
        "malloc(): corrupted top size",
        "\ud83d half a character",
    ],
)
def test_any_other_line_is_a_warning(line: str) -> None:
    with capture_logs() as told:
        assert pass_on(line, "worker-0", None) == line
    assert [(one["event"], one["log_level"], one["said"]) for one in told] == [("child.said", "warning", line)]


def test_a_line_of_ours_stays_what_it_is() -> None:
    with capture_logs() as told:
        words = pass_on(json.dumps(OURS), "worker-0", 1)
    rest = {key: value for key, value in OURS.items() if key != "level"}
    assert told == [{**rest, "log_level": "error"}]
    assert words == "lists.changes_failed"


def test_the_last_words_of_ours_are_short() -> None:
    line = json.dumps({**OURS, "event": "worker.failed", "error": "gateway.x.Y", "message": "no place"})
    assert gist(line) == "worker.failed: gateway.x.Y: no place"
    assert gist("x" * 10_000) == "x" * LONGEST_LINE


@given(st.lists(st.binary(max_size=300)), st.integers(1, 50))
def test_lines_are_the_same_however_they_arrive(lines: list[bytes], size: int) -> None:
    lines = [line.replace(b"\n", b"") for line in lines]
    data = b"\n".join(lines)
    splitter = Splitter()
    told = [one for at in range(0, len(data), size) for one in splitter.feed(data[at : at + size])]
    told += splitter.feed(b"")
    assert told == [text for line in lines if (text := line.decode("utf-8", "replace").strip())]


def test_a_line_without_an_end_takes_no_memory() -> None:
    splitter = Splitter()
    told = [one for _ in range(100) for one in splitter.feed(b"x" * 1000)]
    assert max(map(len, told)) <= hearsay.MOST
    assert len(told) == 20


def test_what_is_passed_on_goes_through_the_same_nets() -> None:
    """A line of ours by way of a pipe is told by whoever reads it: in its form, and above its least weight."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    try:
        with capture_logs() as told:
            pass_on(json.dumps(OURS), "worker-0", 1)
        assert told == []
    finally:
        structlog.reset_defaults()
