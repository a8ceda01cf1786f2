"""The judged record with which a held message is published: the message as it was, why it was held, who approved it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.config.sections.routes import Route
from gateway.journal.write.record import PERSONAL, envelope
from gateway.parking.parked import ParkedRequest


class Approval(NamedTuple):
    """``texts``: what the person let through in the place of what was sent, None where that; ``act_uid``: their act."""

    act_uid: str
    texts: tuple[str, ...] | None


def released(
    release_id: str, now_us: int, route: Route, parked: ParkedRequest, approval: Approval
) -> Mapping[str, Any]:
    """See ``docs/journal.md``. Its text is kept as the route says; always where it has a static version (law 6)."""
    findings = parked.findings
    texts = parked.texts
    if approval.texts is not None:
        texts = approval.texts
        # Spans of a mask mean the text as it was sent; the person's has the masks in it that they left.
        findings = tuple(found for found in findings if found.get("effect") != "mask")
    record: dict[str, Any] = {
        "kind": "judged",
        "id": release_id,
        "time": now_us,
        "sent_at": parked.time,
        "route": parked.route,
        "surface": parked.surface,
        "room": parked.room,
        "sender": parked.sender,
        "verdict": "pass",
        "policy": parked.policy,
        "lists": {found["list"]: found["digest"] for found in findings if "list" in found},
        "findings": list(findings),
        **({"restores": parked.restores} if parked.restores else {"releases": parked.id}),
        "approved_by": approval.act_uid,
    }
    if parked.labels:
        record["labels"] = list(parked.labels)
    if parked.parts:
        record["parts"] = list(parked.parts)
    if parked.weak:
        record["weak"] = True
    if parked.edit:
        record["edit"] = True
    if parked.playback_ms >= 0:
        record["playback_ms"] = parked.playback_ms
    if parked.shown_sender:
        record["shown_sender"] = parked.shown_sender
    told = {
        "ip": parked.address, "device": parked.device, "location": parked.location, "registrant": parked.registrant
    }  # fmt: skip
    keep = route.keep if route.surface is not None else ()
    personal = {name: told[name] for name in PERSONAL if name in keep and told[name]}
    if personal:
        record["personal"] = envelope(personal)
    if route.surface is None or route.content_kept != "never":
        record["content"] = envelope(list(texts))
    return record
