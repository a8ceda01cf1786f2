"""Why the gateway itself ends a socket: one table of reason codes, each with the close code that tells it.

A protocol error has its row in ``frames.REASONS``; every other ending of ours is here. The reason code is the close
frame's text, and the label of ``tidegate_socket_ends_total``.
"""

from __future__ import annotations

from typing import Final

from gateway.websocket import frames
from gateway.websocket.opcodes import (
    BAD_GATEWAY,
    GOING_AWAY,
    INTERNAL_ERROR,
    POLICY_VIOLATION,
    SERVICE_RESTART,
    TRY_AGAIN_LATER,
)

CLIENT_SLOW: Final = "socket.client_slow"
CLIENT_SILENT: Final = "socket.client_silent"
IDLE: Final = "socket.idle"
UPSTREAM_SLOW: Final = "socket.upstream_slow"
UPSTREAM_SILENT: Final = "socket.upstream_silent"
UPSTREAM_CLOSED: Final = "socket.upstream_closed"
UPSTREAM_GARBAGE: Final = "socket.upstream_garbage"
STOPPING: Final = "socket.stopping"
BLOCKED: Final = "socket.blocked"
TOO_MANY_PACKETS: Final = "socket.too_many_packets"
TOO_MANY_CONTROLS: Final = "socket.too_many_controls"
TOO_MANY_MALFORMED: Final = "socket.too_many_malformed"
FAILURE: Final = "socket.failure"

ENDINGS: Final[dict[str, tuple[int, str]]] = {
    CLIENT_SLOW: (TRY_AGAIN_LATER, "The client reads too slowly"),
    CLIENT_SILENT: (GOING_AWAY, "The client answers no ping"),
    IDLE: (GOING_AWAY, "Nothing was said in either direction"),
    UPSTREAM_SLOW: (TRY_AGAIN_LATER, "The upstream reads too slowly"),
    UPSTREAM_SILENT: (BAD_GATEWAY, "The upstream answers no ping"),
    UPSTREAM_CLOSED: (BAD_GATEWAY, "The upstream's connection ended without a close frame"),
    UPSTREAM_GARBAGE: (BAD_GATEWAY, "What the upstream sent is no sequence of frames"),
    STOPPING: (SERVICE_RESTART, "The gateway stops; another one takes the next connection"),
    BLOCKED: (POLICY_VIOLATION, "The sender is blocked, and the route closes the sockets of the blocked"),
    TOO_MANY_PACKETS: (POLICY_VIOLATION, "A frame holds more packets than the bound"),
    TOO_MANY_CONTROLS: (POLICY_VIOLATION, "The client sends more pings and pongs than the bound"),
    TOO_MANY_MALFORMED: (POLICY_VIOLATION, "The client sends more frames that cannot be read than the bound"),
    FAILURE: (INTERNAL_ERROR, "The gateway failed"),
}
"""``reason: (close code, title)``. 1012 to 1014: https://www.iana.org/assignments/websocket/#close-code-number."""


def code_of(reason: str) -> int:
    """The close code of an ending of ours, protocol errors included."""
    row = ENDINGS.get(reason) or frames.REASONS[reason]
    return row[0]
