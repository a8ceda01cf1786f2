"""The admin API over a real socket."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

from gateway.control.acts.refusal import MEDIA_TYPE
from gateway.control.api.api import _allowed
from gateway.control.features import ENDPOINTS

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
    assert (await api.plant.recorded())[1:] == []


async def test_every_act_wants_a_reason(api: Any) -> None:
    bodies = {
        "/v1/blocks": {"scope": "sender", "value": "m", "ground": "g"},
        "/v1/switches": {"scope": "room", "value": "r", "ground": "g"},
        "/v1/urgent-words": {"word": "w", "ground": "g"},
        "/v1/people": {"name": "bo", "roles": ["viewer"]},
        "/v1/people/{name}/roles": {"roles": ["viewer"]},
        "/v1/tokens": {"name": "sync", "scopes": ["blocks:read"]},
        "/v1/rooms/{room}": {"status": "muted"},
        "/v1/accounts/{sender}": {"verified": True},
        "/v1/lists/{name}/words": {"line": "w"},
        "/v1/lists/{name}:apply": {"add": ["w"]},
        "/v1/takedowns": {"id": "m"},
        "/v1/takedowns:preview": {"id": "m"},
        "/v1/incidents": {"scope": "all", "hold": True, "seconds": 60, "ground": "g"},
        "/v1/incidents:preview": {"scope": "all", "hold": True, "seconds": 60},
        "/v1/incidents/{id}:extend": {"seconds": 60},
        "/v1/incidents/{id}:release": {"count": 1},
        "/v1/incidents/{id}:expire": {"count": 1},
        "/v1/copies": {"id": "m", "ground": "g", "refuse_copies": 60},
        "/v1/removals": {"id": "m", "by": "user"},
        "/v1/review/senders": {"sender": "m"},
        "/v1/callbacks:resend": {"receiver": "platform"},
        "/v1/callbacks:test": {"receiver": "platform"},
    }
    free = {"/v1/lists/{name}:try", "/v1/rooms/{room}", "/v1/lists", "/v1/switches", "/v1/urgent-words", "/v1/people"}
    free |= {
        "/v1/takedowns",
        "/v1/takedowns/{id}",
        "/v1/copies",
        "/v1/status",
        "/v1/me",
        "/v1/me/console",
        "/v1/tokens",
        "/v1/tokens/{name}",
        "/v1/appeals",
        "/v1/callbacks",
        "/v1/callbacks/{id}",
    }
    free |= {"/v1/review", "/v1/review/messages", "/v1/nodes", "/v1/review/samples", "/v1/review/agreement"}
    free |= {"/v1/handover", "/v1/obligations", "/v1/precision", "/v1/review/waiting"}
    inside = ("/v1/appeals/{id}:", "/v1/review/cases", "/v1/review/samples")  # the case is the reason
    free |= {"/v1/incidents", "/v1/incidents/{id}"}
    for endpoint in ENDPOINTS:
        if endpoint.path.startswith(inside) and not endpoint.path.endswith(":settle"):
            continue
        if endpoint.path in ("/v1/handover", "/v1/lists/{name}:backtest"):  # the note is the reason; nothing is changed
            continue
        if endpoint.method == "PUT" and endpoint.path.startswith("/v1/me/"):  # nobody else's business
            continue
        if endpoint.access.machine:  # no person's call
            continue
        if endpoint.path == "/v1/incidents:preview":  # it changes nothing, and tells of nobody
            continue
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
    assert len(await api.plant.recorded()) <= 1  # the first start alone


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
    for loose in ({"credit": False}, {"credit": 50.5}, {"verified": "yes"}, {"verified": 1}, {"verified_until": "7"}):
        answer = await api("PUT", "/v1/accounts/alice", json=ACCOUNT | loose)
        assert (api.status, answer["reason"]) == (400, "control.invalid"), loose
    for sender in ("a%0Ab", "a%0Db", "a%00b", "a%1Fb", "a%C2%85b", "a" * 257):
        answer = await api("PUT", f"/v1/accounts/{sender}", json=ACCOUNT)
        assert (api.status, answer["errors"][0]["where"]) == (400, "path.sender"), sender
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


async def test_an_act_that_cannot_take_effect_yet_says_so(api: Any) -> None:
    api.plant.state.down = True
    done = await api("PUT", "/v1/accounts/alice", json=ACCOUNT)
    assert (api.status, done["journalled"], done["projected"], done["in_force"]) == (202, True, False, False)
    api.plant.state.down = False
    assert await api.plant.relay.settled(done["act"], 5) == (True, True)
    assert api.plant.state.rows["accounts", "alice"]["credit"] == 80


def test_a_peer_outside_the_allowed_networks_is_refused() -> None:
    networks = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1/128"))
    assert _allowed("10.1.2.3", networks)
    assert _allowed("::ffff:10.1.2.3", networks)
    assert _allowed("::1", networks)
    assert not _allowed("192.0.2.1", networks)
    assert not _allowed(None, networks)
    assert not _allowed("", networks)
