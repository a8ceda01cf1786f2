"""What stands against the sender of a socket, or against its place, beyond one message; and how it is told."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from filters.model.rule import Rule
from filters.model.verdict import Decided, Finding
from gateway.http.server.problem import Problem
from gateway.judging import answers
from gateway.judging.kept_out import blocked
from gateway.sentences.own import NOTICES, REPEATED, UNMUTED

if TYPE_CHECKING:
    from gateway.judging.overlay import Overlay
    from gateway.judging.route import Route
    from gateway.state.model.snapshot import Snapshot

MUTED: Final = "socket.muted"
PERSONAL: Final = frozenset(("block.sender", "block.registrant", "block.device", "block.ip"))
"""Reasons that stand against a person, not against a place."""

_RULE: Final = Rule("mute", "reject", "reject", None, REPEATED)


def repeated(seconds: float) -> Decided:
    """The decision on a message of a socket that is muted for ``seconds`` more."""
    return Decided(_RULE, Finding("mute", MUTED, retry_after=seconds), "reject")


def muted(seconds: float) -> Problem:
    """What is told when a socket is muted for its refusals."""
    row = answers.REASONS[MUTED]
    title, detail = row.told()
    return Problem(row.status, MUTED, title, detail, ground=REPEATED, retry_after=seconds)


def lifted(reason: str) -> Problem:
    """What is told when ``reason`` stands no longer."""
    row = NOTICES[UNMUTED]
    return Problem(row.status, reason, *row.told(), words=UNMUTED)


def is_standing(problem: Problem) -> bool:
    """Whether a refusal says that the next message will be refused as well, whatever it says."""
    return problem.reason.startswith(("block.", "switch.")) and not problem.retry_after


def of_snapshot(
    route: Route, sender: str, room: str, ip: str, snapshot: Snapshot, overlay: Overlay | None
) -> Problem | None:
    """What the switches and the newest blocks hold against ``sender`` in ``room``; None where nothing.

    Blocks count only where the route's policy enforces them.
    """
    decided = overlay.switch(route.name, room, time.time_ns() // 1000) if overlay is not None else None
    if decided is None:
        decided = blocked(route, sender, room, ip, snapshot)
    return answers.standing(decided, route.appeal) if decided is not None else None
