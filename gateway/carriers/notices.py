"""What the sender of a socket's message is told, as docs/websocket.md words it.

One JSON object a notice. ``verdict``: reject, hold, mask (of one message, named by ``message_id``), mute, unmute,
close (of the socket). Nobody else gets it, and it names no list and no word.
"""

from __future__ import annotations

import math
from typing import Any, Final

import orjson

from gateway.http.server.problem import PlatformShape, Problem

TYPE: Final = "tidegate.verdict"
SHAPED: Final = frozenset(("reject", "hold", "mute", "close"))
"""Verdicts that a platform's own shape for refusals tells. A mask is none, and the end of a mute neither."""


def notice(verdict: str, problem: Problem, shape: PlatformShape | None = None) -> bytes:
    """The text of one notice, in the route's shape where it has one."""
    if shape is not None and verdict in SHAPED:
        return shape.encode(problem)
    told: dict[str, Any] = {"type": TYPE, "verdict": verdict, "reason": problem.reason}
    if problem.message_id:
        told["message_id"] = problem.message_id
    told["title"] = problem.title
    if problem.detail:
        told["detail"] = problem.detail
    if problem.ground:
        told["ground"] = problem.ground
    if problem.category:
        told["category"] = problem.category
    if problem.appeal:
        told["appeal"] = problem.appeal.replace("{id}", problem.message_id)
    if problem.retry_after > 0:
        told["retry_after"] = math.ceil(problem.retry_after)
    return orjson.dumps(told)
