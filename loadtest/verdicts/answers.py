"""Reading an answer: what the gateway decided, and whether it said so as the contract asks.

Both carriers end in an ``Outcome``, which ``expectation`` weighs. What is broken (no answer, 5xx, garbage) raises
``Broken``; an answer that decides right and tells it wrong is named by ``fault_of``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from loadtest.crowd.corpus import Line
from loadtest.verdicts.expectation import MASK, PASS, Outcome, wrong_status

SECRETS = frozenset(("word", "words", "word_id", "spans", "list", "digest"))
LOW_CREDIT = "low credit"


class Broken(Exception):
    """An answer that decides nothing: a failure of the gateway, the platform or the network, not a verdict."""


class Told(NamedTuple):
    """An answer in the terms of the contract. ``body``: the platform's, or the problem's."""

    outcome: Outcome
    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Any]


def read(status: int, headers: Mapping[str, str], content: bytes | None) -> Told:
    """An HTTP answer; ``headers`` are looked up in lower case. Raises ``Broken``."""
    try:
        body = orjson.loads(content or b"")
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise Broken(f"{status} without a JSON object" if status else "no answer")
    if status == 201:
        return Told(MASK if headers.get("tidegate-verdict") == "mask" else PASS, status, headers, body)
    if status >= 500 or status < 400 or "reason" not in body:
        raise Broken(f"{status} {body.get('reason', '')}".strip())
    return Told(Outcome("reject", str(body["reason"])), status, headers, body)


def fault_of(told: Told, line: Line, sender: str, *, judged: bool, labelled: bool = False) -> str:
    """What an answer with the right outcome tells wrong; empty where all is well. ``judged``: by the gateway."""
    outcome, headers, body = told.outcome, told.headers, told.body
    if judged and not headers.get("tidegate-message-id"):
        return "an answer without Tidegate-Message-Id"
    if outcome.verdict != "reject":
        published = line.published if outcome is MASK else line.text
        if body.get("content") != published:
            return "another text was published"
        if body.get("user") != sender:
            return "published under another name"
        return "" if body.get("label", "") == (LOW_CREDIT if labelled and judged else "") else "a wrong label"
    if wrong_status(outcome, told.status):
        return f"{outcome.reason} with status {told.status}"
    if body.get("message_id") != headers.get("tidegate-message-id"):
        return "two different message ids"
    if outcome.reason == "keyword.match" and body.get("category") != line.category:
        return "a wrong category"
    if SECRETS & body.keys():
        return "a refusal that tells the list's internals"
    if told.status == 429 and not headers.get("retry-after"):
        return "a limit without Retry-After"
    return ""


class Notice(NamedTuple):
    """A frame ``tidegate.verdict``: what became of the sender's own message."""

    verdict: str
    reason: str

    @property
    def outcome(self) -> Outcome | None:
        """None where the notice is about something else than one message's end (a mute, a closing)."""
        if self.verdict == "mask":
            return MASK
        return Outcome("reject", self.reason) if self.verdict == "reject" else None


def notice_in(frame: Mapping[str, Any]) -> Notice | None:
    """The notice that a frame is, or None for the platform's own frames."""
    if frame.get("type") != "tidegate.verdict":
        return None
    return Notice(str(frame.get("verdict", "")), str(frame.get("reason", "")))
