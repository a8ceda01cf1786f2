"""A message that was taken down comes back, as a held message that is approved already: once, whatever dies meanwhile.

    taken down, confirmed ──► approved ──► releasing ──► delivered       the route's address for publishing
                        └──► ticketed ──► delivered | lapsed             where nobody can be asked, or nothing kept it

It has an id of its own, which is the idempotency key; the record with which it is published names the message
(``restores``), and its static version stands there. The copies that refuse its text go in the same act. From there on
it is a held message like any other: facts are asked anew, what nobody knows goes to a person, and it can be taken down
again (``gateway.control.releasing.wanted_gone``). What came to nothing can be restored once more.

Only what the platform has confirmed is restored: until then it may show the message still.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import select

from gateway.config import Config
from gateway.config.sections.routes import Route
from gateway.control.acts.acts import Unit
from gateway.control.acts.refusal import ControlError, missing
from gateway.control.adapters.platform import route_of
from gateway.control.holding import held, held_states, tickets
from gateway.control.holding.rows import Held
from gateway.control.releasing.remade_body import remade
from gateway.control.takedowns import takedowns
from gateway.control.takedowns.rows import Copy, Deletion, Takedown, TakedownEvent
from gateway.journal.read import lookup
from gateway.journal.read.shown import shown_texts
from gateway.judging.refused_copies import fingerprints
from gateway.parking.parked import ParkedRequest
from gateway.parking.seal import Seal
from gateway.words.files import folding_tables

CAME_TO_NOTHING: Final = frozenset(
    (held_states.VOID, held_states.REFUSED, held_states.EXPIRED, held_states.LAPSED, held_states.WITHDRAWN)
)
"""States of a restoration after which the message is as gone as before."""

Way = Literal["publish", "ticket"]


class KeptMessage(NamedTuple):
    """What the journal has of a message. ``texts``: as people saw it, empty where they were not kept; ``fingerprint``:
    of them as they were sent, empty where it folds to nothing."""

    record: dict[str, Any]
    texts: tuple[str, ...]
    fingerprint: bytes

    @property
    def sender(self) -> str:
        """Whose it is."""
        return str(self.record["sender"])


class RestoredAs(NamedTuple):
    """``id``: the held message's; ``copies``: how many texts are refused no more."""

    id: str
    way: Way
    copies: int


class Restoring:
    """``root``: the journal; ``seal``: as the configuration in force has its keys; ``clock`` in nanoseconds since the
    epoch."""

    def __init__(
        self,
        root: Path,
        config: Callable[[], Config],
        seal: Callable[[], Seal | None],
        ids: Callable[[], str],
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._root = root
        self._config = config
        self._seal = seal
        self._ids = ids
        self._clock = clock

    async def kept(self, message_id: str) -> KeptMessage | None:
        """None where the journal does not hold the message (any more), or it was never shown. Raises ``OSError``."""
        return await asyncio.to_thread(self._kept, message_id)

    def _kept(self, message_id: str) -> KeptMessage | None:
        told = lookup.find(self._root, message_id)
        if told is None or told.imported or told.verdict != "pass":
            return None
        plain = tuple((told.first.get("content") or {}).get("plain") or ())
        print_ = fingerprints(folding_tables()).scan(plain).fingerprint if plain else b""
        return KeptMessage(told.first, shown_texts(told.first), print_)

    def restore(
        self, unit: Unit, number: int, kept: KeptMessage, entered: Sequence[str] = (), labels: Sequence[str] = ()
    ) -> RestoredAs:
        """Within an act. ``entered``: the texts as somebody entered them again, where none are kept. Raises
        ``ControlError``, before it has changed anything."""
        session, now = unit.session, self._clock() // 1000
        row = session.get(Takedown, number)
        if row is None:
            raise missing("takedown")
        if session.get_one(Deletion, number).state != takedowns.CONFIRMED:
            raise ControlError(
                409, "control.takedown_open", "The platform has not confirmed the deletion: it may show the message."
            )
        before = session.get(Held, row.restoration) if row.restoration else None
        if row.restoration and (before is None or before.state not in CAME_TO_NOTHING):
            state = before.state if before is not None else held_states.UNKNOWN
            raise ControlError(409, "control.restored_already", f"It comes back as {row.restoration}: {state}.")
        texts = kept.texts or tuple(entered)
        if not texts:
            raise ControlError(
                409, "control.text_unknown", "The journal does not hold the text; its sender has to enter it again."
            )
        parked = self._parked(kept, labels)
        sealed = self._sealed(parked, texts) if kept.texts else None
        way: Way = "publish" if sealed is not None else "ticket"
        if way == "ticket" and labels:
            raise ControlError(409, "control.unlabelled", "What its sender sends again carries no label of yours.")
        copies = _lifted(unit, row.message_id, kept.fingerprint.hex())
        held.restored(
            unit,
            Held(
                message_id=parked.id, case_id=None, route=parked.route, surface=parked.surface, room=parked.room,
                sender=parked.sender, weak=parked.weak, edit=False, reason="", fingerprint=kept.fingerprint.hex(),
                at=now, expires_at=0, changed_at=now, since=now, act_uid=unit.uid,
                state=held_states.APPROVED if way == "publish" else held_states.TICKETED,
                due_at=now if way == "publish" else 0, size=len(sealed or b""), sealed=sealed,
            ),
        )  # fmt: skip
        if way == "ticket":
            tickets.give(
                unit, message_id=parked.id, route=parked.route, room=parked.room, sender=parked.sender, texts=texts,
                now=now,
            )  # fmt: skip
        unit.change(row, restoration=parked.id)
        session.add(TakedownEvent(takedown_id=number, at=now, event="restored", journalled=True))
        return RestoredAs(parked.id, way, copies)

    def _sealed(self, parked: ParkedRequest, texts: Sequence[str]) -> bytes | None:
        """What waits until the platform has it; None where the platform cannot be asked."""
        route, seal = route_of(self._config(), parked.route), self._seal()
        if seal is None or route.release is None or route.release.match is None:
            return None
        made = remade(route, parked, texts, parked.id)
        if made is None:
            return None
        return seal.seal(parked.id, parked._replace(headers=(("content-type", made.kind),)).encode())

    def _parked(self, kept: KeptMessage, labels: Sequence[str]) -> ParkedRequest:
        """As a worker would have parked it, without the request, which nobody kept."""
        record = kept.record
        personal = (record.get("personal") or {}).get("plain") or {}
        plain = tuple((record.get("content") or {}).get("plain") or ())
        return ParkedRequest(
            id=self._ids(), time=record.get("sent_at", record["time"]), route=record["route"],
            surface=record["surface"], room=record["room"], sender=record["sender"], texts=plain, reason="", ground="",
            findings=tuple(record.get("findings", ())), policy=record["policy"], method="", target="",
            headers=(), body=b"", weak=record.get("weak", False),
            playback_ms=record.get("playback_ms", -1), shown_sender=record.get("shown_sender", ""),
            parts=tuple(record.get("parts", ())), labels=tuple(dict.fromkeys((*record.get("labels", ()), *labels))),
            masked_texts=kept.texts if kept.texts != plain else None, fingerprint=kept.fingerprint,
            address=personal.get("ip", ""), device=personal.get("device", ""),
            registrant=personal.get("registrant", ""), location=personal.get("location", ""),
            vouched=_vouched(route_of(self._config(), record["route"])), restores=record["id"],
        )  # fmt: skip


def _vouched(route: Route) -> tuple[bool, int, int] | None:
    """What a front said of the sender is not kept: it was enough then, and there is nobody else to ask."""
    return (True, 0, -1) if route.surface is not None and route.verified else None


def _lifted(unit: Unit, message_id: str, fingerprint: str) -> int:
    """Let the text be sent again, for whichever message it is refused."""
    same = Copy.message_id == message_id
    if fingerprint:
        same |= Copy.fingerprint == fingerprint
    found = unit.session.scalars(select(Copy).where(same)).all()
    for copy in found:
        unit.remove(copy)
    return len(found)
