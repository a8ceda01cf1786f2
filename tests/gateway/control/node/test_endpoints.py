"""The node over the API."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from gateway.common import channel
from gateway.common.boot import reading
from gateway.control.node.health import Health
from gateway.control.node.schemas import HealthCheck
from gateway.state.cold.owner import StateOwner

ACCOUNT = {"verified": True, "credit": 80, "reason": "checked papers"}


async def test_state_is_rebuilt(api: Any) -> None:
    await api("PUT", "/v1/accounts/alice", json=ACCOUNT)
    api.plant.state.rows.clear()
    done = await api("POST", "/v1/state:rebuild", json={"reason": "flushed"})
    assert (api.status, done["result"]["subjects"]) == (200, 1)
    assert api.plant.state.rows["accounts", "alice"]["credit"] == 80
    api.plant.state.down = True
    answer = await api("POST", "/v1/state:rebuild", json={"reason": "flushed"})
    assert (api.status, answer["reason"]) == (503, "control.state_unavailable")


async def test_state_is_taken_over_by_an_act(api: Any) -> None:
    await api("PUT", "/v1/accounts/alice", json=ACCOUNT)
    api.plant.state.rows.clear()
    api.plant.state.owner = StateOwner("b", 2, "gw-2", "/other.sqlite3")
    answer = await api("POST", "/v1/state:rebuild", json={"reason": "mine"})
    assert (api.status, answer["reason"]) == (409, "control.state_not_ours")
    assert "/other.sqlite3 of node 2 on gw-2" in answer["detail"]
    done = await api("POST", "/v1/state:claim", json={"reason": "that node is gone"})
    assert (api.status, done["result"]["subjects"]) == (200, 1)
    assert done["result"]["taken_from"] == "/other.sqlite3 of node 2 on gw-2 (id b)"
    assert api.plant.state.rows["accounts", "alice"]["credit"] == 80
    told = await api("GET", "/v1/acts", params={"reason": "audit", "kind": "state.claim"})
    assert [(act["person"], act["reason"]) for act in told["acts"]] == [("admin", "that node is gone")]
    api.plant.state.down = True
    answer = await api("POST", "/v1/state:claim", json={"reason": "again"})
    assert (api.status, answer["reason"]) == (503, "control.state_unavailable")


async def test_health_names_what_is_wrong(api: Any) -> None:
    assert await api("GET", "/healthz", token="") == {"status": "ok"}
    answer = await api("GET", "/readyz", token="")
    assert (api.status, answer["ready"]) == (503, False)
    assert answer["checks"]["workers"]["ok"] is False
    path = api.plant.folder / "worker-0.sock"
    journal = {"ok": True}
    status = {"status": lambda _: {"pid": 1, "snapshot": 0, "journal": {"ready": journal["ok"]}}}
    served = await channel.serve(path, status)
    api.plant.sockets["worker-0"] = path
    answer = await api("GET", "/readyz", token="")
    assert (api.status, answer["checks"]["workers"]["detail"]) == (200, "worker-0: ok")
    journal["ok"] = False
    answer = await api("GET", "/readyz", token="")
    assert (api.status, answer["checks"]["workers"]["ok"]) == (503, False)
    journal["ok"] = True
    api.plant.state.down = True
    answer = await api("GET", "/readyz", token="")
    assert (api.status, answer["checks"]["state"]) == (503, {"ok": False, "detail": "ConnectionError"})
    api.plant.state.down = False
    api.plant.supervisor.away = True
    await api("GET", "/readyz", token="")
    assert api.status == 200, "who cannot be asked stops nothing"
    api.plant.supervisor.away = False
    api.plant.supervisor.stopping = True
    answer = await api("GET", "/readyz", token="")
    assert (api.status, answer["checks"]["node"]) == (503, {"ok": False, "detail": "the node was told to stop"})
    await served.close()


async def test_a_clock_that_was_set_is_told_and_takes_no_traffic_away(api: Any) -> None:
    answer = await api("GET", "/readyz", token="")
    assert answer["checks"]["clock"] == {"ok": True, "detail": ""}
    now = reading()
    api.plant.clock.noted(-3_600_000_000, now)
    answer = await api("GET", "/readyz", token="")
    assert answer["checks"]["clock"]["ok"] is True
    assert answer["checks"]["clock"]["detail"].startswith("the time of day was set 1 times, by -3600 s in all, last ")
    async with api.session.get(api.url + "/metrics") as response:
        text = await response.text()
    assert "tidegate_clock_leaps_total 1" in text
    assert "tidegate_clock_set_seconds -3600" in text
    # Set right again, it is told for a while, so that somebody looks what it did meanwhile.
    api.plant.clock.noted(3_600_000_000, now)
    assert "by +0 s" in (await api("GET", "/readyz", token=""))["checks"]["clock"]["detail"]
    api.plant.clock.since -= 3 * 3_600_000_000
    assert (await api("GET", "/readyz", token=""))["checks"]["clock"]["detail"] == ""


async def test_a_clock_that_is_apart_is_told_and_takes_no_traffic_away(api: Any) -> None:
    async with api.session.get(api.url + "/metrics") as response:
        assert "\ntidegate_clock_skew_seconds " not in await response.text()
    api.plant.skew.ask(lambda: time.time_ns() // 1000 + 30_000_000)
    answer = await api("GET", "/readyz", token="")
    assert answer["checks"]["clock"]["ok"] is True
    assert answer["checks"]["clock"]["detail"].startswith("this machine's clock is 30.0")
    assert answer["checks"]["clock"]["detail"].endswith(" behind the database's, more than server.max_skew")
    async with api.session.get(api.url + "/metrics") as response:
        lines = dict(line.rsplit(" ", 1) for line in (await response.text()).splitlines() if line[0] != "#")
    assert float(lines["tidegate_clock_skew_seconds"]) == pytest.approx(-30, abs=1)
    assert float(lines["tidegate_clock_skew_uncertainty_seconds"]) < 1
    assert float(lines["tidegate_clock_max_skew_seconds"]) == 1


async def test_records_that_somebody_took_away_are_told(api: Any) -> None:
    path = api.plant.folder / "worker-0.sock"
    left = {"removed": 2, "write failed": 1}
    status = {"status": lambda _: {"pid": 1, "snapshot": 0, "journal": {"ready": True, "left": left}}}
    served = await channel.serve(path, status)
    api.plant.sockets["worker-0"] = path
    answer = await api("GET", "/readyz", token="")
    assert (api.status, answer["checks"]["workers"]["detail"]) == (200, "worker-0: ok (segments removed 2)")
    await served.close()


async def test_the_mirrors_lag_is_told_where_there_is_a_mirror(api: Any) -> None:
    async def lag() -> list[str]:
        async with api.session.get(api.url + "/metrics") as response:
            text = await response.text()
        return [line for line in text.splitlines() if re.match("tidegate_mirror_(max_)?lag_seconds", line)]

    assert await lag() == []
    api.plant.mirror_lag = 12.5
    assert sorted(await lag()) == ["tidegate_mirror_lag_seconds 12.5", "tidegate_mirror_max_lag_seconds 10.0"]


async def test_readiness_and_room_are_measured(api: Any) -> None:
    """Check by check as /readyz has it, and as long as there is a folder: its disk."""

    async def told() -> dict[str, float]:
        async with api.session.get(api.url + "/metrics") as response:
            lines = (await response.text()).splitlines()
        wanted = re.compile("tidegate_(ready|journal_(free|bound)_bytes)")
        found = [line.rpartition(" ") for line in lines if wanted.match(line)]
        return {name: float(value) for name, _, value in found}

    checks = (await api("GET", "/readyz", token=""))["checks"]
    well = await told()
    assert {name: check["ok"] for name, check in checks.items()} == {
        name.removeprefix('tidegate_ready{check="').removesuffix('"}'): value == 1.0
        for name, value in well.items()
        if name.startswith("tidegate_ready{")
    }
    assert well['tidegate_ready{check="journal"}'] == 1.0
    assert well["tidegate_journal_free_bytes"] > 0
    assert {name for name in well if "bound" in name} == {
        'tidegate_journal_bound_bytes{setting="low_disk"}', 'tidegate_journal_bound_bytes{setting="full_disk"}'
    }  # fmt: skip
    api.plant.state.down = True
    api.plant.services.of(Health)._journal = api.plant.folder / "nowhere"
    ill = await told()
    assert (ill['tidegate_ready{check="state"}'], ill['tidegate_ready{check="journal"}']) == (0.0, 0.0)
    assert "tidegate_journal_free_bytes" not in ill


async def test_copies_of_journals_are_told_and_take_no_node_out(plant: Any) -> None:
    socket = plant.folder / "replicator.sock"
    health = Health(
        database=plant.database, relay=plant.relay, projection=plant.state, workers=plant.workers,
        reloader=plant.supervisor, journal=plant.folder, low_disk=0, full_disk=0, clock=plant.clock, skew=plant.skew,
        replicator=socket,
    )  # fmt: skip
    found = (await health.look()).checks["replicas"]
    assert (found.ok, found.detail) == (True, "the replicator: absent; no journal is copied")
    standing: dict[str, Any] = {"node": 2, "cause": "", "lag": 1.0, "behind": 0}
    peers = {"b": standing, "c": standing | {"node": 3}}
    told = {"max_lag": 10.0, "peers": peers}
    served = await channel.serve(socket, {"status": lambda _: told})
    assert (await health.look()).checks["replicas"] == HealthCheck(ok=True)
    peers["b"] = standing | {"lag": 12.4, "behind": 7}
    peers["c"] |= {"cause": "refused"}
    found = (await health.look()).checks["replicas"]
    await served.close()
    assert found.ok
    assert found.detail == "b (node 2): 12 s and 7 bytes behind; c (node 3): 1 s and 0 bytes behind (refused)"
