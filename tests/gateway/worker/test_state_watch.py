"""An outage of state is told once when it is one, and once when it is over."""

from __future__ import annotations

from typing import Any

from structlog.testing import capture_logs

from gateway.worker.state_watch import StateWatch


def told(problems: list[str]) -> list[dict[str, Any]]:
    """What is said when each of them holds for half a second."""
    now = iter(problems)
    watch = StateWatch(lambda: next(now))
    with capture_logs() as lines:
        for place in range(len(problems)):
            watch.look(place / 2)
    return [dict(line) for line in lines]


def test_an_outage_is_two_lines() -> None:
    lines = told(["", "lost", "lost", "breaker", "breaker", "breaker", "", "", "", ""])
    assert lines == [
        {"event": "state.away", "log_level": "error", "problem": "breaker"},
        {"event": "state.back", "log_level": "warning", "seconds": 2.5},
    ]


def test_what_passes_at_once_is_not_told() -> None:
    assert told(["", "lost", "lost", "", "", "lost", "", "lost", "lost", ""]) == []


def test_a_breaker_that_tries_now_and_then_is_one_outage() -> None:
    assert [line["event"] for line in told(["breaker"] * 3 + ["", "breaker"] * 5 + [""] * 3)] == [
        "state.away", "state.back"
    ]  # fmt: skip


def test_the_next_outage_is_told_again() -> None:
    lines = told(["lost"] * 3 + [""] * 3 + ["lost"] * 3)
    assert [line["event"] for line in lines] == ["state.away", "state.back", "state.away"]
