"""Answers that refuse or hold: RFC 9457 problem details, or the platform's own shape.

Reasons and members are told by docs/reasons.md. An answer says why, and never which list or word: that is not among the
members here, so that it cannot slip out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson

from gateway.http.upstream import failure
from gateway.http.wire.errors import REASONS

TYPE_PREFIX: Final = "urn:tidegate:problem:"
"""A problem's ``type`` is this and its reason code: a name, not an address to fetch."""

PROBLEM_JSON: Final = b"application/problem+json"
_RETRY_UNAVAILABLE: Final = 1.0


class RateLimit(NamedTuple):
    """One limit for the RateLimit fields: ``quota`` messages in ``window`` seconds, ``remaining`` of them left, the
    next one after ``reset`` seconds. ``name`` says what is counted: sender, room …
    """

    name: str
    quota: int
    window: float
    remaining: int = 0
    reset: float = 0.0


class Problem(NamedTuple):
    """Why there is no other answer. ``retry_after``: seconds, 0 where trying again makes no sense.

    ``detail``, ``ground``, ``category`` and ``appeal`` are for people, and left out where empty. ``challenge``: the
    WWW-Authenticate field of a 401 (RFC 9110 section 11.6.1). ``words``: the row of its sentences, where it is not that
    of its reason.
    """

    status: int
    reason: str
    title: str
    detail: str = ""
    message_id: str = ""
    ground: str = ""
    category: str = ""
    appeal: str = ""
    retry_after: float = 0.0
    limits: Sequence[RateLimit] = ()
    challenge: bytes = b""
    words: str = ""


def problem_for(reason: str) -> Problem:
    """The problem of one of the HTTP layer's own reasons."""
    row = REASONS[reason]
    return Problem(row.status, reason, *row.told(), retry_after=_RETRY_UNAVAILABLE if row.status == 503 else 0.0)


def upstream_problem(error: failure.UpstreamError, message_id: str = "") -> Problem:
    """The problem of an upstream that gave no answer. Where it may have acted on the request, nobody is told to try
    again: who does as told would post twice."""
    row = failure.REASONS[error.reason]
    retry = _RETRY_UNAVAILABLE if row.status == 503 and not error.sent else 0.0
    return Problem(row.status, error.reason, *row.told(), message_id, retry_after=retry)


def encode_problem(problem: Problem) -> bytes:
    """The body of ``application/problem+json``."""
    members: dict[str, Any] = {
        "type": TYPE_PREFIX + problem.reason,
        "title": problem.title,
        "status": problem.status,
    }
    if problem.detail:
        members["detail"] = problem.detail
    members["reason"] = problem.reason
    if problem.message_id:
        members["message_id"] = problem.message_id
    if problem.ground:
        members["ground"] = problem.ground
    if problem.category:
        members["category"] = problem.category
    if problem.appeal:
        members["appeal"] = problem.appeal.replace("{id}", problem.message_id)
    return orjson.dumps(members)


def problem_lines(problem: Problem) -> bytes:
    """The header lines that a problem brings.

    RateLimit and RateLimit-Policy follow draft-ietf-httpapi-ratelimit-headers-10: lists of strings with parameters.
    """
    lines = b""
    if problem.message_id:
        lines = b"Tidegate-Message-Id: %b\r\n" % problem.message_id.encode("ascii")
    if problem.retry_after > 0:
        lines += b"Retry-After: %d\r\n" % math.ceil(problem.retry_after)
    if problem.challenge:
        lines += b"WWW-Authenticate: %b\r\n" % problem.challenge
    if problem.limits:
        left = ", ".join(f'"{limit.name}";r={limit.remaining};t={math.ceil(limit.reset)}' for limit in problem.limits)
        policy = ", ".join(f'"{limit.name}";q={limit.quota};w={math.ceil(limit.window)}' for limit in problem.limits)
        lines += b"RateLimit: %b\r\nRateLimit-Policy: %b\r\n" % (left.encode("ascii"), policy.encode("ascii"))
    return lines


_PLACEHOLDER: Final = re.compile(rb"\{(title|id|reason|detail|ground|category|appeal|status|retry_after)\}")
_SENTENCES: Final = frozenset((b"title", b"detail", b"ground", b"category"))
# A value of its own, not a key: before a colon it stays a string.
_NUMBER: Final = re.compile(rb'"(\{(?:status|retry_after)\})"(?!\s*:)')


class PlatformShape:
    """A route's ``refusal = { status, body }``: answers in the shape that the platform's clients know.

    ``body``: a table or list, sent as JSON, or text; ``{title} {id} {reason} {detail} {ground} {category} {appeal}
    {status} {retry_after}`` in its strings are filled in; a string that is ``{status}`` or ``{retry_after}`` alone
    becomes the number. ``status`` 0 keeps the problem's own. ``headers``: more of them. ``speaks``: it holds sentences,
    and its own headers do not say in which language.
    """

    __slots__ = ("_escaped", "_pieces", "content_type", "lines", "speaks", "status")

    def __init__(
        self, status: int, body: Mapping[str, Any] | Sequence[Any] | str, headers: Mapping[str, str] | None = None
    ) -> None:
        self.status = status
        self.lines = b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in (headers or {}).items())
        self._escaped = not isinstance(body, str)
        self.content_type = b"application/json" if self._escaped else b"text/plain; charset=utf-8"
        text = body.encode() if isinstance(body, str) else orjson.dumps(body)
        # Encoded JSON has a brace before a letter only inside of a string, so every match is a placeholder.
        pieces = self._pieces = _PLACEHOLDER.split(_NUMBER.sub(rb"\1", text) if self._escaped else text)
        said = any(name.lower() == "content-language" for name in headers or ())
        self.speaks = not said and not _SENTENCES.isdisjoint(pieces[1::2])

    def encode(self, problem: Problem) -> bytes:
        """The body for one refusal."""
        pieces = list(self._pieces)
        for at in range(1, len(pieces), 2):
            value = self._value(pieces[at], problem)
            pieces[at] = orjson.dumps(value)[1:-1] if self._escaped else value.encode()
        return b"".join(pieces)

    @staticmethod
    def _value(name: bytes, problem: Problem) -> str:
        if name == b"id":
            return problem.message_id
        if name == b"appeal":
            return problem.appeal.replace("{id}", problem.message_id)
        if name == b"retry_after":
            return str(math.ceil(problem.retry_after))
        return str(getattr(problem, name.decode()))
