"""The node at a glance, over the API."""

from __future__ import annotations

from typing import Any

from gateway.common import channel


async def test_everything_is_told_at_once(api: Any) -> None:
    path = api.plant.folder / "worker-0.sock"
    counters = {
        "started": "a",
        "pid": 1,
        "metrics": {
            "tidegate_messages_total": {
                "series": [
                    [["comments", "pass", ""], 5], [["live", "pass", ""], 2], [["live", "reject", "keyword.match"], 1],
                ]
            },
            "tidegate_degraded_total": {"series": [[["timeout"], 3]]},
            "tidegate_connections": {"series": [[[], 4]]},
            "tidegate_journal_lag_seconds": {"series": [[[], 0.5]]},
        },
    }  # fmt: skip
    status = {"generation": 1, "connections": 4, "journal": {"ready": False}, "state": {"problem": "timeout"}}
    served = await channel.serve(path, {"status": lambda _: status, "counters": lambda _: counters})
    api.plant.sockets["worker-0"] = path
    api.plant.sockets["worker-1"] = api.plant.folder / "nobody.sock"
    told = await api("GET", "/v1/status")
    assert api.status == 200
    assert (told["ready"], told["generation"], told["connections"]) == (False, 1, 4)
    assert told["checks"]["state"]["ok"] is True
    assert [(one["name"], one["restarts"]) for one in told["processes"]] == [("worker-0", 2)]
    assert told["workers"] == [
        {
            "name": "worker-0", "answers": "ok", "generation": 1, "connections": 4,
            "journal": "takes no records", "state": "timeout",
        },
        {"name": "worker-1", "answers": "absent", "generation": None, "connections": 0, "journal": "", "state": ""},
    ]  # fmt: skip
    assert told["traffic"] == {
        "messages": {"pass": 7, "reject": 1}, "degraded": {"timeout": 3}, "refused_requests": 0
    }  # fmt: skip
    assert (told["queues"]["outbox"], told["queues"]["journal_lag"], told["queues"]["mirror"]) == (0, 0.5, None)
    assert told["mirror_lag"] is None
    await served.close()


async def test_a_supervisor_that_is_away_is_no_obstacle(api: Any) -> None:
    api.plant.supervisor.away = True
    api.plant.state.down = True
    api.plant.mirror_lag = 1.5
    told = await api("GET", "/v1/status")
    assert (api.status, told["generation"], told["processes"], told["ready"]) == (200, None, [], False)
    assert (told["mirror_lag"], told["queues"]["mirror"]) == (1.5, 0)
    assert told["checks"]["state"] == {"ok": False, "detail": "ConnectionError"}
