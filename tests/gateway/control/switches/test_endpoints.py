"""Switches and urgent words over the API."""

from __future__ import annotations

from typing import Any

from gateway.common import channel


async def test_a_switch_reaches_every_worker_directly_and_through_state(api: Any) -> None:
    seen: dict[str, list[Any]] = {"worker-0": [], "worker-1": []}
    served = []
    for name, got in seen.items():
        path = api.plant.folder / f"{name}.sock"
        handlers = {"snapshot": lambda command, got=got: got.append(command["snapshot"]) or {"ok": True}}
        served.append(await channel.serve(path, handlers))
        api.plant.sockets[name] = path
    body = {"scope": "room", "value": "r1", "reason": "incident 4", "ground": "article 9"}
    done = await api("POST", "/v1/switches", json=body)
    assert done["workers"] == {"worker-0": True, "worker-1": True}
    version = seen["worker-0"][0]["version"]
    assert seen["worker-0"][0]["switches"] == [
        {"id": 1, "kind": "freeze", "room": "r1", "ground": "article 9", "reason_code": "switch.frozen"}
    ]
    assert api.plant.state.published[-1] == version
    urgent = await api("POST", "/v1/urgent-words", json={"word": "rumour", "reason": "i", "ground": "article 9"})
    assert seen["worker-1"][-1]["urgent"] == [{"id": 1, "word": "rumour", "ground": "article 9"}]
    assert seen["worker-1"][-1]["version"] > version
    assert [row["value"] for row in (await api("GET", "/v1/switches"))["switches"]] == ["r1"]
    assert [row["word"] for row in (await api("GET", "/v1/urgent-words"))["words"]] == ["rumour"]
    empty = await api("POST", "/v1/urgent-words", json={"word": "...", "reason": "i", "ground": "article 9"})
    assert (api.status, empty["reason"]) == (400, "control.word_invalid")
    await served[1].close()
    lifted = await api("DELETE", f"/v1/switches/{done['result']['id']}", params={"reason": "over"})
    assert api.status == 202
    assert lifted["workers"] == {"worker-0": True, "worker-1": False}
    assert seen["worker-0"][-1]["switches"] == []
    await api("DELETE", f"/v1/urgent-words/{urgent['result']['id']}", params={"reason": "over"})
    assert seen["worker-0"][-1]["urgent"] == []
    await served[0].close()


async def test_switches_that_mean_nothing_are_refused(api: Any) -> None:
    body = {"scope": "route", "value": "nowhere", "reason": "r", "ground": "g"}
    await api("POST", "/v1/switches", json=body)
    assert api.status == 404
    body["value"] = "comments"
    await api("POST", "/v1/switches", json=body)
    assert api.status == 200
    answer = await api("POST", "/v1/switches", json=body)
    assert (api.status, answer["reason"]) == (409, "control.frozen_already")
