"""Header lines, one by one: at a glance where they were seen before, with care where anything is odd (RFC 9112, 5).

Laws: a line is read in one way or refused; what the glance gives is what the careful reading would have given; nothing
is remembered that holds a secret or names anybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from gateway.http.errors import HTTPError

TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
token = re.compile(TOKEN).fullmatch
_field = re.compile(rb"(" + TOKEN + rb"):[ \t]*((?:[^ \t](?:.*[^ \t])?)?)[ \t]*", re.DOTALL).fullmatch

CONTROLS: Final = bytes(c for c in range(32) if c != 9) + b"\x7f"
OURS: Final = b"tidegate-"

_INTERNED: Final = frozenset(
    b"host user-agent accept accept-language accept-encoding content-type connection origin cache-control pragma "
    b"server vary sec-fetch-mode sec-fetch-site sec-fetch-dest upgrade-insecure-requests dnt transfer-encoding expect "
    b"keep-alive content-length date sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform priority x-forwarded-proto "
    b"x-forwarded-host x-requested-with via".split()
)
"""Names whose lines repeat from request to request and carry no secret and nobody's name."""


class Uncommon(Exception):
    """Not to be read at a glance: the careful path has the answer."""


class Glances(dict[bytes, tuple[bytes, bytes]]):
    """Header lines as they came to (name in lower case, value): a look-up for those seen before, for others a read.

    ``dict(map(glances.__getitem__, lines))`` is then a whole head without a loop of ours: measured 0.5 of the careful
    path's time. Only lines of ``_INTERNED`` names are kept, at most ``CAPACITY`` of them; emptied when full. Raises
    ``Uncommon`` for a line that is not exactly ``Name: value``, for underscores and for fields of ours.
    """

    __slots__ = ("_names",)

    CAPACITY: Final = 4096
    LONGEST: Final = 256

    def __init__(self) -> None:
        super().__init__()
        self._names: dict[bytes, bytes] = {}

    def __missing__(self, line: bytes) -> tuple[bytes, bytes]:
        spelled, _, value = line.partition(b": ")
        name = self._names.get(spelled) or self._name(spelled)
        if not value or value[0] <= 32 or value[-1] <= 32 or len(line.translate(None, CONTROLS)) != len(line):
            raise Uncommon
        read = name, value
        if name in _INTERNED and len(line) <= self.LONGEST:
            if len(self) >= self.CAPACITY:
                self.clear()
            self[line] = read
        return read

    def _name(self, spelled: bytes) -> bytes:
        name = spelled.lower()
        if len(spelled) > self.LONGEST or b"_" in name or name.startswith(OURS) or not token(spelled):
            raise Uncommon
        if len(self._names) >= self.CAPACITY:
            self._names.clear()
        self._names[spelled] = name
        return name


def read_fields(
    lines: Iterable[bytes], specials: frozenset[bytes]
) -> tuple[dict[bytes, bytes], list[bytes], set[bytes] | None, bool]:
    """The careful path: all fields by lower-case name, the lines to keep in order, the names that came more than once,
    and whether a name has an underscore. Raises ``HTTPError``.
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
        if b"_" in name:
            underscored = True
            if not special:
                # An upstream that maps names to CGI variables reads X_Forwarded_For as X-Forwarded-For.
                plain = name.replace(b"_", b"-")
                special = plain in specials or plain.startswith(OURS)
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
