"""Two questions of HTTP that a file's request asks: which encoding, and whether the copy at hand is still good."""

from __future__ import annotations

import re
from collections.abc import Sequence

_coding = re.compile(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*(?:;\s*[qQ]\s*=\s*([01](?:\.[0-9]{0,3})?)\s*)?")
_tag = re.compile(rb'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def accepted(field: bytes | None, offered: Sequence[str]) -> str:
    """The first of ``offered`` codings that Accept-Encoding allows (RFC 9110, section 12.5.3); empty for none."""
    if not field:
        return ""
    weights: dict[str, float] = {}
    for part in field.decode("latin-1").split(","):
        match = _coding.fullmatch(part)
        if match is not None:
            weights[match[1].lower()] = float(match[2]) if match[2] is not None else 1.0
    for coding in offered:
        if weights.get(coding, weights.get("*", 0.0)) > 0:
            return coding
    return ""


def matches(field: bytes | None, etag: bytes) -> bool:
    """Whether If-None-Match names ``etag``, quotes included (RFC 9110, section 13.1.2: compared weakly)."""
    if not field:
        return False
    return field.strip() == b"*" or etag in _tag.findall(field)
