"""One cookie from a Cookie header (RFC 6265, sections 4.2.1 and 5.4), strictly.

Two cookies of one name, or of names that differ only in case, are refused: which one a platform reads depends on its
library. So are the characters that some libraries decode and others do not: quotes, backslashes and ``%``.
"""

from __future__ import annotations

import re

from gateway.surfaces.input.field_names import Names
from gateway.surfaces.input.pointer import MISSING, _Missing
from gateway.surfaces.input.reasons import Refused

_VALUE = re.compile(rb"[!#$&-+\--:<-\[\]-~]*")  # cookie-octet without "%"
MAX_COOKIES = 100
_alike: dict[str, Names] = {}  # by the names that the configuration reads


def cookie(header: bytes, name: str) -> str | _Missing:
    """The value of the cookie ``name``, or MISSING. ``Refused("fact.twice")`` or ``("fact.malformed")``."""
    found: bytes | None = None
    wanted = name.encode()
    alike = _alike.get(name)
    if alike is None:
        alike = _alike[name] = Names((name,))
    pairs = header.split(b";", MAX_COOKIES)
    if len(pairs) > MAX_COOKIES:
        raise Refused("fact.malformed")
    for pair in pairs:
        key, _, value = pair.partition(b"=")
        key = key.strip(b" \t")
        if key == wanted:
            if found is not None:
                raise Refused("fact.twice")
            found = value.strip(b" \t")
        elif alike.means(key.decode("latin-1")):
            raise Refused("fact.twice")
    if found is None:
        return MISSING
    if _VALUE.fullmatch(found) is None:
        raise Refused("fact.malformed")
    return found.decode("ascii")
