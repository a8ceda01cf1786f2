"""Rooms as folders and as addresses. One name serves both, so that any static server can serve the same folder.

A room of plain letters is its own folder; any other is written with ``=E5`` for each byte that is not plain, as
quoted-printable does, because ``=`` means nothing to URLs, shells and file systems. What gets too long is a digest.
"""

from __future__ import annotations

import hashlib
import re

SCRIPT = "embed.js"
_LONGEST = 200  # bytes; file systems take 255, and a page's temporary name needs some

_plain = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,127}").fullmatch
_folder = re.compile(rb"[A-Za-z0-9_~=-][A-Za-z0-9._~=-]{0,199}").fullmatch
_special = re.compile(rb"[^A-Za-z0-9_~-]")


def folder_name(room: str) -> str:
    """The folder of a room: one name for each room, never ``.``, ``..``, hidden or the script's."""
    if _plain(room) and room != SCRIPT:
        return room
    data = room.encode()
    name = _special.sub(_escaped, data).decode("ascii")
    if 0 < len(name) <= _LONGEST:
        return name
    return f"=h{hashlib.sha256(data).hexdigest()}"  # no escape has a small h


def is_folder_name(segment: bytes) -> bool:
    """Whether a path segment could be one of ``folder_name``."""
    return _folder(segment) is not None


def room_path(prefix: str, room: str) -> str:
    """The path of a room's static version, such as ``/mirror/ROOM/``. ``prefix`` is the configured ``mirror.path``."""
    return f"{prefix}{folder_name(room)}/"


def link_value(prefix: str, room: str) -> bytes:
    """The value of the Link field (RFC 8288) on answers to bullets."""
    return f'<{room_path(prefix, room)}>; rel="alternate"; type="text/html"'.encode("ascii")


def _escaped(special: re.Match[bytes]) -> bytes:
    return b"=%02X" % special[0][0]
