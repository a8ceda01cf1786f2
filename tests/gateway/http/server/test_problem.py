"""Answers that refuse: RFC 9457, RateLimit, the platform's own shape."""

import orjson
import pytest

from gateway.http.server.problem import (
    Problem,
    RateLimit,
    encode_problem,
    problem_for,
    problem_lines,
    upstream_problem,
)
from gateway.http.upstream import failure
from gateway.http.upstream.failure import UpstreamError

FULL = Problem(
    403,
    "keyword.match",
    "The message was refused",
    detail="It holds “a word”.",
    message_id="m1",
    ground="agreement 2.1",
    category="spam",
    appeal="https://platform.example/appeal?message={id}",
    retry_after=1.2,
)


def test_all_members() -> None:
    assert orjson.loads(encode_problem(FULL)) == {
        "type": "urn:tidegate:problem:keyword.match",
        "title": "The message was refused",
        "status": 403,
        "detail": "It holds “a word”.",
        "reason": "keyword.match",
        "message_id": "m1",
        "ground": "agreement 2.1",
        "category": "spam",
        "appeal": "https://platform.example/appeal?message=m1",
    }


def test_a_code_to_appeal_by_is_told() -> None:
    assert orjson.loads(encode_problem(FULL._replace(appeal_code="7K2M9QXF3T")))["appeal_code"] == "7K2M9QXF3T"


def test_empty_members_are_left_out() -> None:
    assert orjson.loads(encode_problem(problem_for("body.too_large"))) == {
        "type": "urn:tidegate:problem:body.too_large",
        "title": "The body is too large",
        "status": 413,
        "reason": "body.too_large",
    }


def test_lines() -> None:
    limits = (RateLimit("sender", 5, 10, 0, 1.5), RateLimit("room", 500, 1, 3, 0.1))
    assert problem_lines(FULL._replace(status=429, limits=limits)) == (
        b"Tidegate-Message-Id: m1\r\nRetry-After: 2\r\n"
        b'RateLimit: "sender";r=0;t=2, "room";r=3;t=1\r\nRateLimit-Policy: "sender";q=5;w=10, "room";q=500;w=1\r\n'
    )
    assert problem_lines(problem_for("head.host")) == b""
    assert problem_lines(Problem(401, "x", "y", challenge=b"Bearer")) == b"WWW-Authenticate: Bearer\r\n"
    assert problem_lines(problem_for("server.full")) == b"Retry-After: 1\r\n"


@pytest.mark.parametrize("reason", sorted(failure.REASONS))
def test_an_upstreams_failure(reason: str) -> None:
    problem = upstream_problem(UpstreamError(reason, sent=True), "m1")
    assert (problem.status, problem.reason, problem.message_id) == (failure.REASONS[reason][0], reason, "m1")
    assert b"Retry-After" not in problem_lines(problem)  # it may have been published


@pytest.mark.parametrize("reason", sorted(failure.REASONS))
def test_a_failure_before_anything_was_sent_may_be_tried_again(reason: str) -> None:
    problem = upstream_problem(UpstreamError(reason, sent=False), "m1")
    assert (b"Retry-After: 1\r\n" in problem_lines(problem)) == (problem.status == 503)
