"""What pages load besides themselves: one style, scripts, htmx. All of it is ours to serve; nothing comes from
anywhere else (npm: htmx.org 2.0.11, dist/htmx.min.js, unchanged)."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources
from typing import Final, NamedTuple

TYPES: Final = {
    "console.css": "text/css",
    "desk.css": "text/css",
    "console.js": "text/javascript",
    "desk.js": "text/javascript",
    "htmx.min.js": "text/javascript",
    "live.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
HTMX: Final = "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"
"""SHA-256 of what npm has under that version."""


class Asset(NamedTuple):
    body: bytes
    media: str
    digest: str


@cache
def assets() -> dict[str, Asset]:
    """By name."""
    folder = resources.files("gateway.control.console") / "static"
    found = {}
    for name, media in TYPES.items():
        body = (folder / name).read_bytes()
        found[name] = Asset(body, media, hashlib.sha256(body).hexdigest())
    return found


def address(name: str) -> str:
    """Where it is, with what it is in the address: another version is another address."""
    return f"/console/static/{name}?v={assets()[name].digest[:16]}"
