"""What the sender of a socket's message is told, as docs/websocket.md words it.

One JSON object a notice. ``verdict``: reject, hold, delay, mask (of one message, named by ``message_id``), mute,
unmute, close (of the socket). Nobody else gets it, and it names no list and no word. A route's ``refusal`` says it in
the platform's own words, or says nothing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import orjson

from gateway.judging.echo import Echo

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.http.server.problem import Problem
    from gateway.http.server.shapes import AnswerShapes
    from gateway.surfaces.input.request import Request

TYPE: Final = "tidegate.verdict"


def notice(
    verdict: str, problem: Problem, shapes: AnswerShapes | None, handshake: Request, payload: Callable[[], bytes | None]
) -> bytes:
    """The text of one notice, in the route's shape where it has one; nothing where that is silent. ``payload``: gives
    what is answered, where it is one message of the client's."""
    shape = None if shapes is None else shapes.of(verdict, problem)
    if shape is None:
        return own(verdict, problem)
    if shape.silent:
        return b""
    values = None
    if shape.echoes:
        values = Echo(handshake.fields, handshake.query, lambda: handshake.parameters, payload(), frame=True)
    return shape.text(problem, values)


def own(verdict: str, problem: Problem) -> bytes:
    """A notice as we word it ourselves."""
    told: dict[str, Any] = {"type": TYPE, "verdict": verdict, "reason": problem.reason}
    if problem.message_id:
        told["message_id"] = problem.message_id
    if problem.status_url:
        told["status_url"] = problem.status_url
    told["title"] = problem.title
    if problem.detail:
        told["detail"] = problem.detail
    if problem.ground:
        told["ground"] = problem.ground
    if problem.category:
        told["category"] = problem.category
    if problem.appeal:
        told["appeal"] = problem.appeal.replace("{id}", problem.message_id)
    if problem.appeal_code:
        told["appeal_code"] = problem.appeal_code
    if problem.retry_after > 0:
        told["retry_after"] = math.ceil(problem.retry_after)
    return orjson.dumps(told)
