"""A node at a glance, for people."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from gateway.commands.admin import status

WELL: dict[str, Any] = {
    "version": "1", "at": 1_800_000_000_000_000, "ready": True,
    "checks": {"state": {"ok": True, "detail": ""}, "workers": {"ok": True, "detail": "worker-0: ok"}},
    "generation": 4, "generation_since": 1_800_000_000_000_000, "reload_refused": None, "connections": 12, "sockets": 3,
    "processes": [{"name": "control", "pid": 7, "state": "running", "restarts": 0, "resident_bytes": 64 << 20}],
    "workers": [{"name": "worker-0", "answers": "ok", "generation": 4, "connections": 12, "journal": "", "state": ""}],
    "traffic": {"messages": {"pass": 90, "reject": 10}, "degraded": {}, "refused_requests": 0},
    "queues": {"outbox": 0, "outbox_age": 0.0, "journal_lag": 0.0, "takedowns": {"confirmed": 4}, "mirror": None},
    "mirror_lag": None,
}  # fmt: skip


def seen(now: dict[str, Any], before: dict[str, Any] | None = None, width: int = 80) -> str:
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=False).print(status.shown(now, before))
    return out.getvalue()


def test_a_node_that_is_well() -> None:
    told = seen(WELL)
    for wanted in ("ready", "4, since 2027-01-1", "12 connections, 3 WebSockets", "100: 90 pass, 10 reject", "64 MiB"):
        assert wanted in told
    assert "takedowns" not in told  # those that are confirmed need nobody
    assert "mirror" not in told


def test_what_is_not_as_it_should_be_is_told() -> None:
    worker = {
        "name": "worker-0",
        "answers": "absent",
        "generation": 3,
        "connections": 0,
        "journal": "takes no records",
        "state": "timeout",
    }
    ill = WELL | {
        "ready": False, "reload_refused": 1_800_000_000_000_000, "mirror_lag": 2.5, "workers": [worker],
        "checks": {"journal": {"ok": False, "detail": "acts cannot be recorded"}},
        "queues": WELL["queues"] | {"outbox": 3, "outbox_age": 9.0, "takedowns": {"unconfirmed": 1}, "mirror": 8},
    }  # fmt: skip
    told = " ".join(seen(ill).split())
    for wanted in (
        "not ready", "acts cannot be recorded", "the last one was refused",
        "takes no records; timeout; absent; still with generation 3",
        "3 acts, the oldest 9 s", "1 unconfirmed", "2.5 s behind, 8 bullets wait",
    ):  # fmt: skip
        assert wanted in told, told


def test_live_it_tells_what_happened_since() -> None:
    later = WELL | {
        "at": WELL["at"] + 2_000_000,
        "traffic": {
            "messages": {"pass": 110, "reject": 10, "mask": 4},
            "degraded": {"timeout": 6},
            "refused_requests": 0,
        },
    }
    told = seen(later, WELL)
    assert "24, 12 a second: 4 mask, 20 pass" in told
    assert "6 checks, 0.25 a message: timeout 6" in told
    # A control that started anew counts from nothing.
    anew = later | {"traffic": WELL["traffic"] | {"messages": {"pass": 5}}}
    assert "5, 2 a second" in seen(anew, WELL) or "5, 3 a second" in seen(anew, WELL)


def test_without_control_the_processes_are_told() -> None:
    processes = [{"name": "control", "pid": None, "state": "waiting\x1b[2J", "restarts": 3, "resident_bytes": None}]
    told = seen({"ready": False, "problem": "control does not answer", "generation": None, "processes": processes})
    assert "control does not answer" in told
    assert "waiting�[2J" in told
    assert "unknown" in told


@pytest.mark.parametrize("width", [20, 40, 80])
def test_it_fits(width: int) -> None:
    assert max(map(len, seen(WELL, None, width).splitlines())) <= width
