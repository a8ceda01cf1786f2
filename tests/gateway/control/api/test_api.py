"""The admin API over a real socket."""

from __future__ import annotations

import ipaddress
import json
import stat
from typing import Any

from gateway.common import channel
from gateway.control.acts import people
from gateway.control.api.api import _allowed
from gateway.control.api.routes import ENDPOINTS
from gateway.control.ports.errors import MEDIA_TYPE

ACCOUNT = {"verified": True, "credit": 80, "reason": "checked papers"}


async def test_every_endpoint_but_the_open_ones_wants_a_token(api: Any) -> None:
    for endpoint in ENDPOINTS:
        if endpoint.open:
            continue
        path = endpoint.path.replace("{", "").replace("}", "")
        for token in ("", "tg_wrong", api.token + "x"):
            answer = await api(endpoint.method, path, token=token)
            assert (api.status, answer["reason"]) == (401, "control.token_refused"), endpoint.path
            assert api.headers["WWW-Authenticate"] == "Bearer"
    assert api.plant.journal.records[1:] == []


async def test_every_act_wants_a_reason(api: Any) -> None:
    bodies = {
        "/v1/blocks": {"scope": "sender", "value": "m", "ground": "g"},
        "/v1/switches": {"scope": "room", "value": "r", "ground": "g"},
        "/v1/urgent-words": {"word": "w", "ground": "g"},
        "/v1/people": {"name": "bo"},
        "/v1/rooms/{room}": {"status": "muted"},
        "/v1/accounts/{sender}": {"verified": True},
        "/v1/lists/{name}/words": {"line": "w"},
        "/v1/takedowns": {"id": "m"},
        "/v1/takedowns:preview": {"id": "m"},
        "/v1/copies": {"id": "m", "ground": "g", "refuse_copies": 60},
        "/v1/removals": {"id": "m", "by": "user"},
    }
    free = {"/v1/lists/{name}:try", "/v1/rooms/{room}", "/v1/lists", "/v1/switches", "/v1/urgent-words", "/v1/people"}
    free |= {"/v1/takedowns", "/v1/takedowns/{id}", "/v1/copies"}
    for endpoint in ENDPOINTS:
        if endpoint.open or (endpoint.path in free and endpoint.method in ("GET", "POST") and "try" in endpoint.path):
            continue
        if endpoint.method == "GET" and endpoint.path in free:
            continue
        path = endpoint.path.replace("{name}", "spam").replace("{", "").replace("}", "").replace("/id", "/1")
        for reason in (None, "", "   ", "\x00"):
            body = dict(bodies.get(endpoint.path, {}))
            query: dict[str, str] = {"line": "w"} if endpoint.method == "DELETE" and "words" in path else {}
            if reason is not None:
                (body if endpoint.body is not None else query)["reason"] = reason
            sent = {"json": body} if endpoint.body is not None else {"params": query}
            if "urgent" in path:
                query.pop("line", None)
            answer = await api(endpoint.method, path, **sent)
            assert (api.status, answer["reason"]) == (400, "control.reason_missing"), (endpoint.path, answer)
            assert api.headers["Content-Type"] == MEDIA_TYPE
    assert len(api.plant.journal.records) <= 1  # the first start alone


async def test_an_account_is_set_projected_recorded_read_and_forgotten(api: Any) -> None:
    sender = "álice/1?x=%2F 王"
    path = "/v1/accounts/" + "%C3%A1lice%2F1%3Fx%3D%252F%20%E7%8E%8B"
    done = await api("PUT", path, json=ACCOUNT)
    assert (api.status, done["in_force"], done["result"]["sender"]) == (200, True, sender)
    assert api.plant.state.rows["accounts", sender]["credit"] == 80
    read = await api("GET", path, params={"reason": "complaint 7"})
    assert read == {"sender": sender, "verified": True, "verified_until": 0, "credit": 80}
    await api("DELETE", path, params={"reason": "closed by the user"})
    assert ("accounts", sender) not in api.plant.state.rows
    await api("GET", path, params={"reason": "look again"})
    assert api.status == 404
    await api.plant.relay.settled(5, 5)
    kinds = [(act["kind"], act["person"], act["reason"]) for act in api.plant.journal.records]
    assert kinds == [
        ("person.add", "tidegate", "first start"),
        ("account.put", "admin", "checked papers"),
        ("account.read", "admin", "complaint 7"),
        ("account.delete", "admin", "closed by the user"),
        ("account.read", "admin", "look again"),
    ]


async def test_bad_input_is_named_and_never_quoted(api: Any) -> None:
    secret = "13800138000"
    for body in (
        {"verified": secret, "credit": 101, "reason": "r"},
        {**ACCOUNT, secret: 1},
        {**ACCOUNT, "credit": secret},
        [secret],
    ):
        answer = await api("PUT", "/v1/accounts/alice", json=body)
        assert api.status == 400
        assert answer["errors"]
        assert secret not in json.dumps(answer)
    for raw in (b"", b"{", b"\xff", b'{"verified": true, "reason": "\\ud800"}'):
        answer = await api("PUT", "/v1/accounts/alice", data=raw)
        assert (api.status, answer["status"]) == (400, 400)
    answer = await api("PUT", "/v1/accounts/alice", data=b"[" * 100_000)
    assert (api.status, answer["reason"]) == (413, "control.too_large")
    await api("GET", "/v1/accounts/alice?reason=a&reason=b")
    assert api.status == 400
    answer = await api("GET", "/nothing")
    assert (api.status, answer["reason"]) == (404, "control.unknown_path")
    answer = await api("POST", "/v1/accounts/alice")
    assert (api.status, answer["reason"]) == (405, "control.method")
    assert "PUT" in api.headers["Allow"]
    for number in ("x", "1x", "٣", "9" * 40):
        await api("DELETE", f"/v1/blocks/{number}", params={"reason": "r"})
        assert api.status == 404


async def test_an_import_streams_commits_and_names_its_bad_lines(api: Any) -> None:
    lines = [json.dumps({"sender": f"u{n}", "verified": True, "credit": n % 101}).encode() for n in range(1200)]
    lines[3] = b'{"sender": "13800138000"}'
    lines[700] = b"not json"
    lines[701] = b'{"sender": "x", "verified": true' + b" " * 5000 + b"}"
    body = b"\n".join(lines)
    async with api.session.post(
        api.url + "/v1/accounts:import",
        params={"reason": "first load"},
        data=body,
        headers={"Authorization": f"Bearer {api.token}"},
    ) as response:
        assert response.status == 200
        told = [json.loads(line) for line in (await response.text()).splitlines()]
    end = told[-1]
    assert (end["done"], end["lines"], end["accepted"], end["refused"]) == (True, 1200, 1197, 3)
    assert [error["line"] for error in end["errors"]] == [4, 701, 702]
    assert "13800138000" not in json.dumps(end)
    # Whoever is told so may send the first message of one of them at once.
    assert end["in_force"] is True
    assert len(api.plant.state.rows) == 1197
    assert api.plant.state.rows["accounts", "u1199"]["credit"] == 1199 % 101


async def test_an_import_stops_at_its_bound_and_says_so(api: Any) -> None:
    async def body() -> Any:
        for n in range(10_000):
            yield json.dumps({"sender": f"user-with-a-long-name-{n}", "verified": False}).encode() + b"\n"

    response = await api.session.post(
        api.url + "/v1/accounts:import",
        params={"reason": "too much"},
        data=body(),
        headers={"Authorization": f"Bearer {api.token}"},
    )
    end = json.loads((await response.text()).splitlines()[-1])
    assert end["done"] is False
    assert "max_import" in end["stopped"]


async def test_blocks_of_shared_things_are_limits_for_a_day(api: Any) -> None:
    for scope, value, kept, limited in (
        ("sender", "mallory", "mallory", False),
        ("registrant", "r-1", "r-1", False),
        ("device", "d-1", "d-1", True),
        ("ip", "::ffff:192.0.2.1", "192.0.2.1", True),
        ("cidr", "2001:db8::1/32", "2001:db8::/32", True),
    ):
        body = {"scope": scope, "value": value, "reason": "flood", "ground": "agreement 4"}
        done = await api("POST", "/v1/blocks", json=body)
        assert api.status == 200, done
        assert done["result"]["value"] == kept
        assert done["result"]["limited"] is limited
        assert bool(done["result"]["expires_at"]) is limited
    for scope, value in (("ip", "300.1.1.1"), ("cidr", "x/8"), ("planet", "mars"), ("sender", "a\nb"), ("sender", "")):
        await api("POST", "/v1/blocks", json={"scope": scope, "value": value, "reason": "r", "ground": "g"})
        assert api.status == 400
    body = {"scope": "sender", "value": "z", "reason": "r", "ground": "g", "expires_at": 1}
    answer = await api("POST", "/v1/blocks", json=body)
    assert answer["reason"] == "control.expired"
    snapshot = api.plant.state.snapshot
    assert [(row["cidr"], row["limited"]) for row in snapshot["ranges"]] == [("2001:db8::/32", True)]
    assert {row["value"] for row in snapshot["blocks"]} == {"mallory", "r-1", "d-1", "192.0.2.1"}


async def test_a_block_is_replaced_listed_lifted_and_the_lift_undone(api: Any) -> None:
    body = {"scope": "sender", "value": "mallory", "reason": "flood", "ground": "agreement 4"}
    first = await api("POST", "/v1/blocks", json=body)
    second = await api("POST", "/v1/blocks", json={**body, "reason": "flood again"})
    assert first["result"]["id"] == second["result"]["id"]
    listed = await api("GET", "/v1/blocks", params={"reason": "appeal", "scope": "sender", "value": "mallory"})
    assert [row["reason"] for row in listed["blocks"]] == ["flood again"]
    number = second["result"]["id"]
    lifted = await api("DELETE", f"/v1/blocks/{number}", params={"reason": "appeal granted"})
    assert ("blocks", "sender", "mallory") not in api.plant.state.rows
    undone = await api("POST", f"/v1/acts/{lifted['act']}:undo", json={"reason": "wrong appeal"})
    assert undone["result"] == {"undone": lifted["act"], "lasting": []}
    assert api.plant.state.rows["blocks", "sender", "mallory"]["reason"] == "flood again"
    again = await api("POST", f"/v1/acts/{lifted['act']}:undo", json={"reason": "again"})
    assert (api.status, again["reason"]) == (409, "control.undone_already")
    early = await api("POST", f"/v1/acts/{first['act']}:undo", json={"reason": "too early"})
    assert (api.status, early["reason"]) == (409, "control.changed_since")
    acts = await api("GET", "/v1/acts", params={"reason": "audit", "kind": "block.delete"})
    assert [(act["act"], act["undone_by"]) for act in acts["acts"]] == [(lifted["act"], undone["act"])]
    record = next(act for act in api.plant.journal.records if act["kind"] == "act.undo")
    assert record["undoes_uid"] == lifted["id"]


async def test_a_lift_cannot_be_undone_over_a_newer_block(api: Any) -> None:
    body = {"scope": "sender", "value": "mallory", "reason": "flood", "ground": "agreement 4"}
    first = await api("POST", "/v1/blocks", json=body)
    lifted = await api("DELETE", f"/v1/blocks/{first['result']['id']}", params={"reason": "appeal"})
    await api("POST", "/v1/blocks", json=body)
    answer = await api("POST", f"/v1/acts/{lifted['act']}:undo", json={"reason": "r"})
    assert (api.status, answer["reason"]) == (409, "control.conflict")


async def test_rooms(api: Any) -> None:
    assert await api("GET", "/v1/rooms/r1") == {"room": "r1", "status": "open", "interval": 0}
    await api("PUT", "/v1/rooms/r1", json={"status": "slow", "interval": 2.5, "reason": "busy"})
    assert api.plant.state.rows["rooms", "r1"]["interval_ms"] == 2500
    await api("PUT", "/v1/rooms/r1", json={"status": "closed", "reason": "over"})
    assert await api("GET", "/v1/rooms/r1") == {"room": "r1", "status": "closed", "interval": 0}
    await api("PUT", "/v1/rooms/r1", json={"status": "open", "reason": "again"})
    assert ("rooms", "r1") not in api.plant.state.rows
    for body in ({"status": "slow"}, {"status": "muted", "interval": 3}, {"status": "loud"}):
        await api("PUT", "/v1/rooms/r1", json={**body, "reason": "r"})
        assert api.status == 400


async def test_words_are_added_and_removed_and_reload(api: Any) -> None:
    lists = api.plant.services.lists
    done = await api("POST", "/v1/lists/spam/words", json={"line": "free iphones", "reason": "wave"})
    assert (api.status, done["reload"]["ok"], api.plant.supervisor.reloads) == (200, True, 1)
    listed = await api("GET", "/v1/lists")
    assert listed["lists"][0]["changes"] == [{"list": "spam", "line": "free iphones", "effect": "added"}]
    await api("POST", "/v1/lists/spam/words", json={"line": "free iphones", "reason": "wave"})
    assert api.status == 409
    answer = await api("POST", "/v1/lists/spam/words", json={"line": "what?", "reason": "wave"})
    assert (api.status, answer["reason"]) == (400, "control.line_invalid")
    await api("DELETE", "/v1/lists/spam/words", params={"line": "free iphones", "reason": "over"})
    assert (await api("GET", "/v1/lists"))["lists"][0]["changes"] == []
    await api("DELETE", "/v1/lists/spam/words", params={"line": "buy", "reason": "too broad"})
    assert (await api("GET", "/v1/lists"))["lists"][0]["changes"][0]["effect"] == "removed"
    await api("POST", "/v1/lists/none/words", json={"line": "x", "reason": "r"})
    assert api.status == 404
    api.plant.supervisor.problems = ("lists/spam.txt:3: broken",)
    failed = await api("POST", "/v1/lists/spam/words", json={"line": "more", "reason": "wave"})
    assert (api.status, failed["in_force"]) == (202, False)
    assert failed["reload"]["problems"] == ["lists/spam.txt:3: broken"]
    assert lists.all()


async def test_trying_a_text_records_nothing(api: Any) -> None:
    found = await api("POST", "/v1/lists/spam:try", json={"text": "please buy"})
    assert found["hits"][0]["spans"] == [[7, 10]]
    acts = await api("GET", "/v1/acts", params={"reason": "look"})
    assert [act["kind"] for act in acts["acts"]] == ["act.list", "person.add"]
    await api("POST", "/v1/lists/none:try", json={"text": "x"})
    assert api.status == 404


async def test_reload_answers_with_the_problems(api: Any) -> None:
    done = await api("POST", "/v1/reload", json={"reason": "new configuration"})
    assert (api.status, done["result"]["ok"]) == (200, True)
    api.plant.supervisor.problems = ("tidegate.toml: x",)
    done = await api("POST", "/v1/reload", json={"reason": "new configuration"})
    assert (api.status, done["result"]["problems"]) == (202, ["tidegate.toml: x"])


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


async def test_an_act_that_cannot_take_effect_yet_says_so(api: Any) -> None:
    api.plant.state.down = True
    done = await api("PUT", "/v1/accounts/alice", json=ACCOUNT)
    assert (api.status, done["journalled"], done["projected"], done["in_force"]) == (202, True, False, False)
    api.plant.state.down = False
    assert await api.plant.relay.settled(done["act"], 5) == (True, True)
    assert api.plant.state.rows["accounts", "alice"]["credit"] == 80


async def test_people_have_a_token_each(api: Any) -> None:
    made = await api("POST", "/v1/people", json={"name": "bo", "reason": "new reviewer"})
    token = made["result"]["token"]
    done = await api("PUT", "/v1/accounts/alice", token=token, json=ACCOUNT)
    assert api.status == 200
    assert [p["name"] for p in (await api("GET", "/v1/people"))["people"]] == ["admin", "bo"]
    record = next(act for act in api.plant.journal.records if act["id"] == done["act"])
    assert record["person"] == "bo"
    await api("POST", "/v1/people", json={"name": "bo", "reason": "again"})
    assert api.status == 409
    await api("DELETE", "/v1/people/bo", params={"reason": "left"})
    await api("GET", "/v1/people", token=token)
    assert api.status == 401
    answer = await api("DELETE", "/v1/people/admin", params={"reason": "left"})
    assert (api.status, answer["reason"]) == (409, "control.last_person")
    answer = await api("POST", f"/v1/acts/{made['act']}:undo", json={"reason": "r"})
    assert (api.status, answer["reason"]) == (409, "control.not_undoable")
    kept = json.dumps(api.plant.journal.records)
    assert token not in kept
    assert people.hashed(token) not in kept


async def test_state_is_rebuilt(api: Any) -> None:
    await api("PUT", "/v1/accounts/alice", json=ACCOUNT)
    api.plant.state.rows.clear()
    done = await api("POST", "/v1/state:rebuild", json={"reason": "flushed"})
    assert (api.status, done["result"]["subjects"]) == (200, 1)
    assert api.plant.state.rows["accounts", "alice"]["credit"] == 80
    api.plant.state.down = True
    answer = await api("POST", "/v1/state:rebuild", json={"reason": "flushed"})
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
    await served.close()


def test_a_peer_outside_the_allowed_networks_is_refused() -> None:
    networks = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1/128"))
    assert _allowed("10.1.2.3", networks)
    assert _allowed("::ffff:10.1.2.3", networks)
    assert _allowed("::1", networks)
    assert not _allowed("192.0.2.1", networks)
    assert not _allowed(None, networks)
    assert not _allowed("", networks)


def test_the_first_person_s_token_is_kept_for_its_owner_only(plant: Any) -> None:
    keep = plant.folder / "deep" / "first-token"
    token = plant.database.now(lambda session: people.first(session, "admin", plant.ids(), keep))
    assert keep.read_text() == token + "\n"
    assert stat.S_IMODE(keep.stat().st_mode) == 0o600
    assert stat.S_IMODE(keep.parent.stat().st_mode) == 0o700
    assert plant.database.now(lambda session: people.first(session, "admin", plant.ids(), keep)) is None
    plant.people.refresh(plant.database.now(people.hashes))
    assert plant.people.known(token) == "admin"
    assert plant.people.known(token[:-1]) is None
    assert token not in (plant.folder / "control.sqlite3").read_bytes().decode("latin-1")


async def test_the_mirrors_lag_is_told_where_there_is_a_mirror(api: Any) -> None:
    async def lag() -> list[str]:
        async with api.session.get(api.url + "/metrics") as response:
            text = await response.text()
        return [line for line in text.splitlines() if line.startswith("tidegate_mirror_lag_seconds")]

    assert await lag() == []
    api.plant.mirror_lag = 12.5
    assert await lag() == ["tidegate_mirror_lag_seconds 12.5"]
