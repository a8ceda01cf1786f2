"""A parked request: all that is needed to show a held message to a person, and to send it on once that person says so.

Laws:

* what is parked is what came: method, target, header fields and body are the very ones (law 14);
* it is never on a disk as it stands here: only sealed (``seal.py``), for as long as the message waits;
* a field that a later version knows and this one does not is passed over; one that is missing has its default.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

import orjson

from filters.model.errors import TidegateError
from filters.model.message import Message, Vouched
from filters.model.verdict import Verdict
from gateway.journal.write.record import finding

_LENGTH: Final = 4


class BadParking(TidegateError, ValueError):
    """Bytes that are no parked request. The message never quotes them."""


class Original(NamedTuple):
    """The request that carried a message: a whole one on HTTP; of a message on a socket (``socket``) the handshake,
    with the frame's payload for a body, which came as one of ``binary`` frames or of text. ``target``: path and query
    as they came; of a handshake, the query alone. ``headers``: names in lower case, in order. ``place``: which message
    of the body it was.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    socket: bool = False
    binary: bool = False
    place: int = 0


class ParkedRequest(NamedTuple):
    """See the module.

    ``time``: microseconds since the epoch, when it came. ``reason`` and ``ground``: of the decision that held it.
    ``findings``: as in the judged record. ``policy``: its digest. ``masked_texts``: the texts as they may appear, where
    a rule masks, else None. ``labels``: those that go along. ``fingerprint``: empty where the text folds to nothing.
    ``address``, ``device``, ``registrant``, ``location``, ``vouched``: what state is asked with, and what a front
    vouched for; facts are asked anew before it is published. The request itself is as in ``Original``; where
    ``restores`` names a message that was taken down, nobody parked one, and its body is made anew from the texts.
    ``late``: it had passed, and was held while its delay ran; it is promised with its outcome, not before.
    """

    id: str
    time: int
    route: str
    surface: str
    room: str
    sender: str
    texts: tuple[str, ...]
    reason: str
    ground: str
    findings: tuple[Mapping[str, Any], ...]
    policy: str
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    weak: bool = False
    edit: bool = False
    playback_ms: int = -1
    shown_sender: str = ""
    parts: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    masked_texts: tuple[str, ...] | None = None
    fingerprint: bytes = b""
    address: str = ""
    device: str = ""
    registrant: str = ""
    location: str = ""
    vouched: tuple[bool, int, int] | None = None
    socket: bool = False
    binary: bool = False
    place: int = 0
    restores: str = ""
    late: bool = False

    def encode(self) -> bytes:
        """A length, the fields as JSON, and the body as it is."""
        told = self._asdict()
        told["fingerprint"] = self.fingerprint.hex()
        del told["body"]
        head = orjson.dumps(told)
        return len(head).to_bytes(_LENGTH, "big") + head + self.body

    @property
    def held_as(self) -> Message:
        """The message as the checks saw it."""
        return Message(
            self.id, self.surface, self.route, self.room, self.sender, self.texts, self.time, self.device, self.address,
            self.registrant, self.location, None if self.vouched is None else Vouched(*self.vouched), self.parts,
            self.edit, self.playback_ms, self.shown_sender, self.weak,
        )  # fmt: skip


def lines(fields: Mapping[bytes, bytes], without: Collection[bytes] = ()) -> tuple[tuple[str, str], ...]:
    """The headers of a request, as ``Original`` has them: each byte is a character, as Latin-1 reads them."""
    return tuple(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in fields.items() if name not in without
    )


def decode(encoded: bytes) -> ParkedRequest:
    """Raises ``BadParking``."""
    end = _LENGTH + int.from_bytes(encoded[:_LENGTH], "big")
    if len(encoded) < end or end == _LENGTH:
        raise BadParking("it ends before its fields do")
    try:
        told = orjson.loads(encoded[_LENGTH:end])
        known = {name: told[name] for name in ParkedRequest._fields if name in told}
        known["fingerprint"] = bytes.fromhex(told.get("fingerprint", ""))
        known["headers"] = tuple((str(name), str(value)) for name, value in told["headers"])
        for name in ("texts", "findings", "parts", "labels"):
            known[name] = tuple(told.get(name, ()))
        for name in ("masked_texts", "vouched"):
            known[name] = tuple(told[name]) if told.get(name) is not None else None
        return ParkedRequest(**known, body=encoded[end:])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadParking(f"its fields cannot be read: {type(error).__name__}") from None


def parked(message: Message, verdict: Verdict, original: Original, fingerprint: bytes = b"") -> ParkedRequest:
    """What is parked of a message that ``verdict`` holds. Raises ``Unexplained`` where it does not say why (law 1)."""
    leading = verdict.leading
    assert leading is not None, "a hold has a reason"
    vouched = message.vouched
    return ParkedRequest(
        message.id, message.received_at, message.route, message.surface, message.room, message.sender, message.texts,
        leading.finding.reason, leading.rule.ground, findings(verdict), verdict.policy,
        original.method, original.target, original.headers, original.body,
        message.weak, message.edit, message.playback_ms, message.shown_sender, message.parts,
        verdict.labels, verdict.texts, fingerprint, message.ip, message.device, message.registrant, message.location,
        None if vouched is None else (vouched.verified, vouched.verified_until, vouched.level),
        original.socket, original.binary, original.place,
    )  # fmt: skip


def findings(verdict: Verdict) -> tuple[Mapping[str, Any], ...]:
    """As a reader of the judged record finds them: JSON knows lists, and no tuples. Raises ``Unexplained`` (law 1)."""
    return tuple(orjson.loads(orjson.dumps([finding(decided) for decided in verdict.decided])))
