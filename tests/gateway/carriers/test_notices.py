"""What senders are told, word for word."""

from __future__ import annotations

import orjson

from gateway.carriers.notices import notice
from gateway.http.server.problem import PlatformShape, Problem

PROBLEM = Problem(
    429, "limit.sender", "You write too fast", "Wait a little.", "id-1", "agreement 4.2", "spam",
    "https://p.example/appeal?message={id}", 2.2,
)  # fmt: skip


def test_a_notice_has_what_the_contract_names():
    assert orjson.loads(notice("reject", PROBLEM)) == {
        "type": "tidegate.verdict",
        "verdict": "reject",
        "reason": "limit.sender",
        "message_id": "id-1",
        "title": "You write too fast",
        "detail": "Wait a little.",
        "ground": "agreement 4.2",
        "category": "spam",
        "appeal": "https://p.example/appeal?message=id-1",
        "retry_after": 3,
    }


def test_what_there_is_none_of_is_left_out():
    told = orjson.loads(notice("mute", Problem(403, "switch.frozen", "This place is frozen")))
    assert set(told) == {"type", "verdict", "reason", "title"}


def test_a_shape_tells_refusals_and_leaves_the_rest():
    shape = PlatformShape(0, {"code": 12001, "msg": "{title}", "wait": "{retry_after}"})
    wanted = {"code": 12001, "msg": "You write too fast", "wait": 3}
    for verdict in ("reject", "hold", "mute", "close"):
        assert orjson.loads(notice(verdict, PROBLEM, shape)) == wanted
    for verdict in ("mask", "unmute"):
        assert orjson.loads(notice(verdict, PROBLEM, shape))["verdict"] == verdict
