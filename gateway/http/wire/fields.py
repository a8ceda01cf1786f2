"""Header lines, one by one: at a glance where they were seen before, with care where anything is odd (RFC 9112, 5).

Laws: a line is read in one way or refused; what the glance gives is what the careful reading would have given; nothing
is remembered that holds a secret or names anybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from filters.model.errors import TidegateError
from filters.model.remembered import Remembered
from gateway.http.wire.errors import HTTPError

TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
token = re.compile(TOKEN).fullmatch
_field = re.compile(rb"(" + TOKEN + rb"):[ \t]*((?:[^ \t](?:.*[^ \t])?)?)[ \t]*", re.DOTALL).fullmatch

_signs = re.compile(rb"[^0-9a-z\-]").sub

CONTROLS: Final = bytes(c for c in range(32) if c != 9) + b"\x7f"
OURS: Final = b"tidegate-"

_INTERNED: Final = frozenset(
    b"host user-agent accept accept-language accept-encoding content-type connection origin cache-control pragma "
    b"server vary sec-fetch-mode sec-fetch-site sec-fetch-dest upgrade-insecure-requests dnt transfer-encoding expect "
    b"keep-alive content-length date sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform priority x-forwarded-proto "
    b"x-forwarded-host x-requested-with via".split()
)
"""Names whose lines repeat from request to request and carry no secret and nobody's name."""


def cgi_name(name: bytes) -> bytes:
    """The name that has the same CGI variable as ``name`` (lower case), written with dashes (RFC 3875 section 4.1.18):
    X_Forwarded_For is X-Forwarded-For to whoever reads those, and to some servers X.Forwarded.For is as well."""
    return _signs(b"-", name)


class Uncommon(TidegateError):
    """Not to be read at a glance: the careful path has the answer."""


class Glances:
    """Reads header lines that are exactly ``Name: value``, and remembers those seen before: ``known`` maps a line as it
    came to (name in lower case, value, whether the line may be sent on).

    Only lines of ``_INTERNED`` names are kept, at most ``CAPACITY`` of them; emptied when full. ``specials`` are never
    sent on as they came; ``rare`` are left to the careful path, which knows what they mean.
    """

    __slots__ = ("_lines", "_names", "_rare", "_specials", "known")

    CAPACITY: Final = 4096
    LONGEST: Final = 256

    def __init__(self, specials: frozenset[bytes], rare: frozenset[bytes]) -> None:
        self._lines: Remembered[bytes, tuple[bytes, bytes, bool]] = Remembered(self.CAPACITY)
        self.known = self._lines.known
        # as spelled: in lower case, stays, may be remembered
        self._names: Remembered[bytes, tuple[bytes, bool, bool]] = Remembered(self.CAPACITY)
        self._specials = specials
        self._rare = rare

    def lines(self, lines: list[bytes]) -> tuple[dict[bytes, bytes], list[bytes]]:
        """A whole head's fields, and its lines that may be sent on. Raises ``Uncommon`` for a name that comes twice and
        for whatever ``read`` does."""
        fields: dict[bytes, bytes] = {}
        kept: list[bytes] = []
        known = self.known
        for line in lines:
            read = known.get(line)
            name, value, stays = read if read is not None else self.read(line)
            fields[name] = value
            if stays:
                kept.append(line)
        if len(fields) != len(lines):
            raise Uncommon
        return fields, kept

    def read(self, line: bytes) -> tuple[bytes, bytes, bool]:
        """A line that is not known. Raises ``Uncommon`` where it is not exactly ``Name: value``, for odd names, for
        fields of ours and for rare ones."""
        spelled, _, value = line.partition(b": ")
        name, stays, interned = self._names.known.get(spelled) or self._name(spelled)
        # Letters and digits alone, as of an id or a token, are told by one quick look.
        if not value.isalnum() and (
            not value or value[0] <= 32 or value[-1] <= 32 or not value.decode("latin-1").isprintable()
        ):
            raise Uncommon  # also for a tab, and for some bytes beyond ASCII: the careful path tells them from controls
        # By name alone: whether a line is sent on does not hang on what is still remembered.
        read = name, value, stays
        if interned and len(line) <= self.LONGEST:
            self._lines.put(line, read)
        return read

    def _name(self, spelled: bytes) -> tuple[bytes, bool, bool]:
        name = spelled.lower()
        if len(spelled) > self.LONGEST or name.startswith(OURS) or not name.replace(b"-", b"").isalnum():
            raise Uncommon
        if name in self._rare:
            raise Uncommon
        return self._names.put(spelled, (name, name not in self._specials, name in _INTERNED))


def read_fields(
    lines: Iterable[bytes], specials: frozenset[bytes]
) -> tuple[dict[bytes, bytes], list[bytes], set[bytes] | None, bool]:
    """The careful path: all fields by lower-case name, the lines to keep in order, the names that came more than once,
    and whether a name is another one's CGI variable. Raises ``HTTPError``.
    """
    fields: dict[bytes, bytes] = {}
    kept: list[bytes] = []
    repeated: set[bytes] | None = None
    underscored = False
    for line in lines:
        matched = _field(line)
        if matched is None:
            raise HTTPError(_blame(line))
        spelled, value = matched.groups()
        name = spelled.lower()
        special = name in specials or name.startswith(OURS)
        plain = cgi_name(name)
        if plain != name:
            underscored = True
            special = special or plain in specials or plain.startswith(OURS)
        if not special:
            kept.append(b"%b: %b" % (spelled, value))
        if name in fields:
            repeated = repeated or set()
            repeated.add(name)
            fields[name] += (b"; " if name == b"cookie" else b", ") + value
        else:
            fields[name] = value
    return fields, kept, repeated, underscored


def _blame(line: bytes) -> str:
    """The reason code of a header line that does not read as one."""
    if line[:1] in (b" ", b"\t"):
        return "head.folded_line"
    name, colon, _ = line.partition(b":")
    if not colon:
        return "head.field_line"
    return "head.field_line" if token(name) else "head.field_name"
