"""Records as dicts: what was judged, what became of it, and what people did. ``docs/journal.md`` explains each field.

The three classes that the rules of retention speak of are groups of fields of one ``judged`` record:
access (who, where, when), content (the text, in an envelope) and disposition (verdict, grounds, findings).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, Literal

import orjson

from filters.model.errors import TidegateError
from filters.model.message import Message
from filters.model.verdict import Decided, Verdict
from filters.policy import Policy
from gateway.common.boot import ClockReading
from gateway.journal.write import encoding

_dumps: Final = orjson.dumps

Content = Literal["always", "findings", "never"]
State = Literal["delivered", "failed", "refused", "held", "unknown"]

Remover = Literal["takedown", "user", "platform", "erasure"]
Removing = Literal["requested", "confirmed", "unconfirmed", "seen"]

STATES: Final = frozenset(("delivered", "failed", "refused", "held", "unknown"))
REMOVERS: Final = frozenset(("takedown", "user", "platform", "erasure"))
REMOVING: Final = frozenset(("requested", "confirmed", "unconfirmed", "seen"))
PERSONAL: Final = ("ip", "device", "location", "registrant")  # kept only where the configuration names them
DENYING: Final = frozenset(("hold", "reject"))
UNDELAYED: Final = "delay:full"
"""In ``degraded``: a message that should have waited goes on at once, because too many wait."""

ACCESS: Final = (
    "id",
    "time",
    "sent_at",
    "route",
    "surface",
    "room",
    "sender",
    "weak",
    "edit",
    "playback_ms",
    "shown_sender",
    "parts",
    "trace",
    "personal",
)
CONTENT: Final = ("content",)
DISPOSITION: Final = (
    "verdict",
    "policy",
    "lists",
    "labels",
    "findings",
    "shadow",
    "degraded",
    "delay",
    "releases",
    "restores",
    "approved_by",
    "print",
)


class Unexplained(TidegateError, ValueError):
    """A verdict that does not say why (law 1). The message names what is missing, never the text."""


class Unattributed(TidegateError, ValueError):
    """A manual act without a person's name or without a reason (law 12)."""


class Basis:
    """What all judged records of one route have in common, made once a generation. Immutable.

    ``lists`` maps the names of the lists that the policy reads to their digests; ``content`` says when the text is
    kept; ``keep`` names the personal fields that the configuration calls necessary (law 7); ``prints`` gives a digest
    of a refused text that is not kept, by which whoever appeals proves it. ``delay``: seconds that what passes waits.
    Raises Unexplained where a verdict under
    this policy could lack its why: no digest, or a denying rule without a ground.
    """

    __slots__ = (
        "_place",
        "_text",
        "_why",
        "always",
        "delay",
        "findings",
        "keep",
        "lists",
        "passed",
        "prints",
        "route",
        "surface",
    )

    def __init__(
        self,
        route: str,
        surface: str,
        policy: Policy,
        lists: Mapping[str, str],
        content: Content = "always",
        keep: Collection[str] = (),
        prints: Callable[[Sequence[str]], str] | None = None,
        delay: float = 0.0,
    ) -> None:
        if not policy.digest:
            raise Unexplained(f"policy {policy.name!r} has no digest")
        for name in policy.asks.lists:
            if not lists.get(name):
                raise Unexplained(f"list {name!r} of policy {policy.name!r} has no digest")
        for rule in policy.rules:
            if rule.mode == "enforce" and not rule.ground and (rule.action in DENYING or rule.on_error in DENYING):
                raise Unexplained(f"a {rule.check!r} rule of policy {policy.name!r} can deny and names no ground")
        if content not in ("always", "findings", "never"):
            raise ValueError(f"content is always, findings or never, not {content!r}")
        unknown = set(keep) - set(PERSONAL)
        if unknown:
            raise ValueError(f"keep knows {', '.join(PERSONAL)}, not {', '.join(sorted(unknown))}")
        self.route = route
        self.surface = surface
        self.lists = orjson.Fragment(orjson.dumps(dict(lists)))
        self.keep = tuple(name for name in PERSONAL if name in keep)
        self.always = content == "always"
        self.findings = content != "never"
        self.prints = prints
        self.delay = delay
        self.passed = policy.passed
        # What the record of a plain pass says between the things that differ from message to message.
        told = orjson.dumps
        self._place = b',"route":%b,"surface":%b,"room":' % (told(route), told(surface))
        self._why = b',"verdict":%b,"policy":%b,"lists":%b' % (
            told(policy.passed.disposition),
            told(policy.digest),
            told(self.lists),
        )
        if delay:
            self._why += b',"delay":%b' % told(delay)
        self._text = b',"content":{"key":"","plain":' if self.always else b""

    def fields(self, message: Message, verdict: Verdict) -> bytes:
        """The members of ``judged``, encoded. Raises Unexplained (law 1).

        Nearly every message passes and there is nothing more to say of it: then its record is joined from what was
        encoded once, in a third of the time.
        """
        if (
            verdict is not self.passed
            or message.parts
            or message.edit
            or message.weak
            or message.playback_ms >= 0
            or message.shown_sender
            or self.keep
        ):
            return encoding.fields(judged(message, verdict, self))
        return b'"kind":"judged","id":"%b","time":%d%b%b,"sender":%b%b%b%b%b' % (
            message.id.encode(),
            message.received_at,
            self._place,
            _dumps(message.room),
            _dumps(message.sender),
            self._why,
            self._text,
            _dumps(message.texts) if self.always else b"",
            b"}" if self.always else b"",
        )


def judged(message: Message, verdict: Verdict, basis: Basis) -> dict[str, Any]:
    """The record of one judged message. Raises Unexplained (law 1).

    With ``content = "findings"`` the text is kept where any rule found something, in shadow or not: the spans of a
    finding mean nothing without it.
    """
    if not verdict.policy:
        raise Unexplained("the verdict names no policy digest")
    record: dict[str, Any] = {
        "kind": "judged",
        "id": message.id,
        "time": message.received_at,
        "route": basis.route,
        "surface": basis.surface,
        "room": message.room,
        "sender": message.sender,
        "verdict": verdict.disposition,
        "policy": verdict.policy,
        "lists": basis.lists,
    }
    found = False
    if verdict.decided:
        found = True
        record["findings"] = [finding(decided) for decided in verdict.decided]
    elif verdict.disposition != "pass":
        raise Unexplained("the disposition is not pass and nothing was found")
    if verdict.shadow:
        found = True
        record["shadow"] = [finding(decided) for decided in verdict.shadow]
    if verdict.labels:
        record["labels"] = verdict.labels
    if verdict.degraded:
        record["degraded"] = verdict.degraded
    if basis.delay and verdict.disposition == "pass" and UNDELAYED not in verdict.degraded:
        record["delay"] = basis.delay
    if message.parts:
        record["parts"] = message.parts
    if message.weak:
        record["weak"] = True
    if message.edit:
        record["edit"] = True
    if message.playback_ms >= 0:
        record["playback_ms"] = message.playback_ms
    if message.shown_sender:
        record["shown_sender"] = message.shown_sender
    if basis.keep:
        personal = {name: value for name in basis.keep if (value := getattr(message, name))}
        if personal:
            record["personal"] = envelope(personal)
    if basis.always or (found and basis.findings):
        record["content"] = {"key": "", "plain": message.texts}
    elif basis.prints is not None and (verdict.disposition != "pass" or verdict.texts is not None):
        record["print"] = basis.prints(message.texts)
    return record


def finding(decided: Decided) -> dict[str, Any]:
    """As records have it. Raises Unexplained (law 1)."""
    rule, told, effect, degraded = decided
    hit = told.hit
    if not told.check or not told.reason:
        raise Unexplained("a finding names no check or no reason")
    if not rule.ground and effect in DENYING and rule.mode == "enforce":
        raise Unexplained(f"{told.reason} denies and names no ground")
    found: dict[str, Any] = {
        "check": told.check,
        "reason": told.reason,
        "effect": effect,
        "ground": rule.ground,
    }
    if hit is not None:
        if not hit.digest or not hit.spans:
            raise Unexplained(f"{told.reason} names no list digest or no span")
        found["list"] = hit.list
        found["digest"] = hit.digest
        found["word"] = hit.word_id
        found["category"] = hit.category
        found["severity"] = hit.severity
        found["field"] = hit.field
        found["spans"] = hit.spans
    elif told.check == "keywords" and not degraded:
        raise Unexplained(f"{told.reason} names no word")
    if degraded:
        found["degraded"] = True
    if told.retry_after:
        found["retry_after"] = round(told.retry_after, 3)
    if told.detail:
        found["detail"] = dict(told.detail)
    return found


def envelope(plain: Any) -> dict[str, Any]:
    """What may be personal, apart from the rest: ``key`` names the key it is sealed with, empty for plain.

    CRC and chain cover the envelope as it stands in the line. So where it holds a ``cipher`` instead of ``plain``,
    destroying the key destroys the text and no proof.
    """
    return {"key": "", "plain": plain}


def outcome(
    message_id: str,
    state: State,
    *,
    status: int | None = None,
    upstream_id: str = "",
    route: str = "",
    reason: str = "",
    digest: str = "",
) -> dict[str, Any]:
    """What became of a message. ``status``: the upstream's HTTP status, None where it gave none. ``route`` is kept
    beside ``upstream_id``: the platform's ids mean something only among the messages of one route. ``digest``: of what
    was parked, SHA-256 in hex.

    delivered: the upstream took it; refused: it answered and did not, or, without a status, somebody took the message
    down while its delay ran; failed: it could not be reached or broke down;
    held: parked for review; unknown: it was forwarded and nobody heard what became of it. All but delivered and held
    need a reason code.
    """
    if state not in STATES:
        raise ValueError(f"an outcome is one of {', '.join(sorted(STATES))}, not {state!r}")
    if not reason and state in ("failed", "refused", "unknown"):
        raise Unexplained(f"the outcome {state} needs a reason")
    record: dict[str, Any] = {
        "kind": "outcome",
        "id": message_id,
        "time": time.time_ns() // 1000,
        "state": state,
    }
    if status is not None:
        record["status"] = status
    if upstream_id:
        record["upstream_id"] = upstream_id
        if route:
            record["route"] = route
    if reason:
        record["reason"] = reason
    if digest:
        record["digest"] = digest
    return record


def delivered(message_id: str, status: int, upstream_id: str, route: str) -> bytes:
    """The members of the ``outcome`` nearly every message has, encoded: ``outcome`` with the state ``delivered``."""
    fields = b'"kind":"outcome","id":"%b","time":%d,"state":"delivered","status":%d' % (
        message_id.encode(),
        time.time_ns() // 1000,
        status,
    )
    return b'%b,"upstream_id":%b,"route":%b' % (fields, _dumps(upstream_id), _dumps(route)) if upstream_id else fields


def onward(message_id: str) -> bytes:
    """The members of ``onward``, encoded: the delay of a message is over, and it goes on now. Written before it does:
    a crash tells those which waited from those of which nobody knows."""
    return b'"kind":"onward","id":"%b","time":%d' % (message_id.encode(), time.time_ns() // 1000)


def removal(
    message_id: str,
    by: Remover,
    state: Removing,
    *,
    route: str = "",
    room: str = "",
    upstream_id: str = "",
    status: int | None = None,
    reason: str = "",
    ground: str = "",
    act: str = "",
) -> dict[str, Any]:
    """A message that was published goes, or is gone. A removal is of the journal's disposition class.

    requested: a person wants it gone, and it is no longer shown here; confirmed, unconfirmed: what the platform said
    within its time (``status``: its HTTP status); seen: the platform deleted it, and we saw it or were told.
    ``message_id`` is empty where only the platform's id was seen: a second record that names it follows once it is
    found. Raises Unattributed for a takedown without its act and reason (law 12), ValueError for what names no message.
    """
    if by not in REMOVERS or state not in REMOVING:
        raise ValueError(f"no removal is by {by!r} and {state!r}")
    if not message_id and not (route and upstream_id):
        raise ValueError("a removal names its message, or the platform's id of it and the route")
    if by == "takedown" and not (act and reason.strip()):
        raise Unattributed("a takedown names its act and the person's reason")
    record: dict[str, Any] = {
        "kind": "removal",
        "id": message_id,
        "time": time.time_ns() // 1000,
        "by": by,
        "state": state,
    }
    known = {"route": route, "room": room, "upstream_id": upstream_id, "reason": reason, "ground": ground, "act": act}
    record |= {name: value for name, value in known.items() if value}
    if status is not None:
        record["status"] = status
    return record


def review(
    message_id: str,
    state: str,
    *,
    person: str = "",
    act: str = "",
    release: str = "",
    reason: str = "",
    ground: str = "",
) -> dict[str, Any]:
    """What became of a held message (``gateway.control.holding.states``). ``person`` and ``act`` where somebody did it,
    ``release``: the judged record with which it is published, ``reason``: a code. Of the journal's disposition class.
    Raises Unattributed for a person without their act (law 12)."""
    if person and not act:
        raise Unattributed("a decision on a held message names its act")
    record: dict[str, Any] = {"kind": "review", "id": message_id, "time": time.time_ns() // 1000, "state": state}
    known = {"person": person, "act": act, "release": release, "reason": reason, "ground": ground}
    return record | {name: value for name, value in known.items() if value}


def appeal(message_id: str, state: str, number: int, *, person: str = "", act: str = "") -> dict[str, Any]:
    """What happened to the appeal ``number`` against what was decided on a message
    (``gateway.control.appeals.appeal_states``). ``person`` and ``act`` where somebody decided it; what its appellant
    did names nobody, and says nothing of what they wrote. Of the disposition class. Raises Unattributed for a person
    without their act (law 12)."""
    if person and not act:
        raise Unattributed("a decision on an appeal names its act")
    record: dict[str, Any] = {
        "kind": "appeal", "id": message_id, "time": time.time_ns() // 1000, "state": state, "appeal": number
    }  # fmt: skip
    return record | {name: value for name, value in (("person", person), ("act", act)) if value}


def act(
    act_id: str,
    person: str,
    reason: str,
    what: str,
    *,
    target: Mapping[str, Any],
    undoes: str = "",
    token: str = "",
) -> dict[str, Any]:
    """What a person did (law 12): ``what`` in the form ``block.add``, ``target`` what it was done to, ``undoes`` the
    id of the act that it takes back, ``token`` the name of the machine's token with which it was done. Raises
    Unattributed."""
    if not person.strip():
        raise Unattributed(f"the act {what} names no person")
    if not reason.strip():
        raise Unattributed(f"the act {what} gives no reason")
    record: dict[str, Any] = {
        "kind": "act",
        "id": act_id,
        "time": time.time_ns() // 1000,
        "person": person,
        "reason": reason,
        "what": what,
        "target": dict(target),
    }
    if undoes:
        record["undoes"] = undoes
    if token:
        record["token"] = token
    return record


def imported(
    bullet_id: str, room: str, text: str, sent_at: int, *, route: str, upstream_id: str, playback_ms: int = -1
) -> dict[str, Any]:
    """A bullet from before the gateway, so that it has a static version. ``sent_at``: microseconds since the epoch."""
    record: dict[str, Any] = {
        "kind": "imported",
        "id": bullet_id,
        "time": time.time_ns() // 1000,
        "route": route,
        "room": room,
        "upstream_id": upstream_id,
        "sent_at": sent_at,
    }
    if playback_ms >= 0:
        record["playback_ms"] = playback_ms
    record["content"] = envelope([text])
    return record


def page(record_id: str, room: str, number: int, members: Sequence[str]) -> dict[str, Any]:
    """A page of a room's static version is complete: ``members`` are the ids on it, in order."""
    return {
        "kind": "page",
        "id": record_id,
        "time": time.time_ns() // 1000,
        "room": room,
        "number": number,
        "members": list(members),
    }


def leap(new_id: str, by: int, now: ClockReading, seen: Literal["running", "start"]) -> dict[str, Any]:
    """The time of day was set by so many microseconds, while a process watched or before it started."""
    return {
        "kind": "leap",
        "id": new_id,
        "time": now.time,
        "by": by,
        "seen": seen,
        "boot": now.boot,
        "uptime": now.uptime,
    }
