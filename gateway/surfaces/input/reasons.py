"""Why a body cannot be judged: one table of reason codes, and the exception that carries one.

``Refused`` never leaves this package: each surface turns it into ``Malformed`` in one place. Texts here are written
for the sender and hold nothing of what was sent (law 7).
"""

from __future__ import annotations

from typing import NamedTuple

from filters.model.errors import TidegateError


class Reason(NamedTuple):
    """``status``: the HTTP status of the answer (RFC 9110, section 15). ``detail``: one sentence for the sender."""

    status: int
    detail: str


REASONS: dict[str, Reason] = {
    # the body as a whole
    "type.unsupported": Reason(415, "The Content-Type is missing, repeated or not one that this address reads."),
    "charset.unsupported": Reason(415, "Only UTF-8 is read."),
    "coding.unsupported": Reason(415, "The Content-Encoding is not one of gzip, deflate and br, or there are several."),
    "coding.malformed": Reason(400, "The body is not what its Content-Encoding says."),
    "body.inflates": Reason(413, "The body is too large once decompressed."),
    "body.bom": Reason(400, "The body begins with a byte order mark."),
    "body.not_utf8": Reason(400, "The body is not valid UTF-8."),
    "body.nul": Reason(400, "The body holds the character U+0000."),
    # JSON
    "body.not_json": Reason(400, "The body is not valid JSON (RFC 8259)."),
    "body.duplicate_key": Reason(400, "An object holds the same key twice."),
    "body.key_case": Reason(
        400, "An object holds a key that differs from another, or from one read here, only in case."
    ),
    "body.too_deep": Reason(400, "The document is nested too deeply."),
    "body.surrogate": Reason(400, "A string holds half of a surrogate pair."),
    "body.number": Reason(400, "A number is outside what all readers read alike: 64-bit integers, finite doubles."),
    "id.place": Reason(400, "The document has no room for the message's id: an object was expected on the way to it."),
    # forms
    "form.malformed": Reason(400, "The form is not written as its Content-Type asks."),
    "form.too_many": Reason(413, "The form has too many fields."),
    "form.twice": Reason(400, "A field that is read here was sent more than once, or in the query as well."),
    "form.alias": Reason(400, "A field's name differs from one read here only in ways that some readers ignore."),
    "form.name": Reason(400, "A field's name holds quotes, a semicolon or controls, which readers take differently."),
    # what stands where it is not read
    "text.elsewhere": Reason(400, "A text that is judged stands in a kind of body from which it is not read here."),
    "body.ambiguous": Reason(
        400, "The body reads as another kind than its Content-Type says, with a judged text in it."
    ),
    # the judged text
    "text.missing": Reason(400, "The text is missing."),
    "text.not_string": Reason(400, "The text is not a string."),
    "text.empty": Reason(400, "The text is empty."),
    "text.too_long": Reason(413, "The text is too long."),
    # who and where
    "sender.missing": Reason(403, "The request does not say who sends: log in first."),
    "sender.twice": Reason(400, "The request names its sender more than once."),
    "sender.malformed": Reason(400, "The sender's name holds characters that are not allowed, or is too long."),
    "sender.untrusted": Reason(403, "The sender was named by a peer that may not vouch for senders."),
    "room.missing": Reason(400, "The request does not say where the message belongs."),
    "room.twice": Reason(400, "The request names its room more than once."),
    "room.malformed": Reason(400, "The room's name holds characters that are not allowed, or is too long."),
    "fact.twice": Reason(400, "A fact about the sender was given more than once."),
    "fact.malformed": Reason(400, "A fact about the sender or the message is not written as it should be."),
    "jwt.missing": Reason(401, "A token is needed."),
    "jwt.invalid": Reason(401, "The token is not valid."),
    "jwt.expired": Reason(401, "The token has expired."),
    # frames
    "frame.type": Reason(400, "A text frame was expected and a binary one came, or the other way round."),
    "frame.unknown": Reason(400, "The message is of no kind that is known here."),
    "frame.malformed": Reason(400, "The packets in the frame are not framed as they should be."),
    "frame.too_many": Reason(413, "The frame holds too many packets."),
}

# RFC 9110, section 15.5.2: a 401 carries a challenge; the error codes are those of RFC 6750, section 3.1.
CHALLENGES: dict[str, bytes] = {
    "jwt.missing": b"Bearer",
    "jwt.invalid": b'Bearer error="invalid_token"',
    "jwt.expired": b'Bearer error="invalid_token"',
}


class Refused(TidegateError):
    """The body cannot be judged, for the named reason of REASONS."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
