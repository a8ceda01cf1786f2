"""What senders are told, word for word."""

from __future__ import annotations

import orjson

from gateway.carriers.notices import notice as notice_of
from gateway.http.server.problem import Problem
from gateway.http.server.shapes import AnswerShape, AnswerShapes
from gateway.surfaces.input.request import Arrived

PROBLEM = Problem(
    429, "limit.sender", "You write too fast", "Wait a little.", "id-1", "agreement 4.2", "spam",
    "https://p.example/appeal?message={id}", 2.2,
)  # fmt: skip


def notice(verdict: str, problem: Problem, shapes: AnswerShapes | None = None, payload: bytes | None = None) -> bytes:
    return notice_of(verdict, problem, shapes, Arrived(b"GET", {}, query=b"v=2"), lambda: payload)


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


def test_a_notice_has_the_code_to_appeal_by():
    problem = PROBLEM._replace(appeal_code="7K2M9QXF3T")
    assert orjson.loads(notice("reject", problem))["appeal_code"] == "7K2M9QXF3T"
    shapes = AnswerShapes(AnswerShape(0, {"appeal": "{code}"}))
    assert orjson.loads(notice("reject", problem, shapes)) == {"appeal": "7K2M9QXF3T"}
    assert orjson.loads(notice("reject", PROBLEM, shapes)) == {"appeal": ""}


def test_what_there_is_none_of_is_left_out():
    told = orjson.loads(notice("mute", Problem(403, "switch.frozen", "This place is frozen")))
    assert set(told) == {"type", "verdict", "reason", "title"}


def test_a_shape_tells_refusals_and_leaves_the_rest():
    shapes = AnswerShapes(AnswerShape(0, {"code": 12001, "msg": "{title}", "wait": "{retry_after}"}))
    wanted = {"code": 12001, "msg": "You write too fast", "wait": 3}
    for verdict in ("reject", "hold", "mute", "close"):
        assert orjson.loads(notice(verdict, PROBLEM, shapes)) == wanted
    for verdict in ("mask", "unmute"):
        assert orjson.loads(notice(verdict, PROBLEM, shapes))["verdict"] == verdict


def test_a_notice_answers_the_message_by_its_own_id():
    shapes = AnswerShapes(AnswerShape(0, {"id": "{json:/id}", "v": "{query:v}"}, verdicts=["reject", "unmute"]))
    assert orjson.loads(notice("reject", PROBLEM, shapes, b'{"id": 7}')) == {"id": 7, "v": "2"}
    assert orjson.loads(notice("unmute", PROBLEM, shapes)) == {"id": None, "v": "2"}  # nothing was sent


def test_notices_can_be_off():
    shapes = AnswerShapes(
        AnswerShape(0, {"no": 1}, verdicts=["reject"]), AnswerShape(verdicts=["mask", "mute", "unmute"], silent=True)
    )
    assert notice("mask", PROBLEM, shapes) == notice("unmute", PROBLEM, shapes) == b""
    assert notice("reject", PROBLEM, shapes) == b'{"no":1}'
