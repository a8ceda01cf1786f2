"""What the bits of RFC 6455 are called, and which close codes may be sent."""

from __future__ import annotations

from typing import Final

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

FIN: Final = 0x80
RESERVED: Final = 0x70
MASKED: Final = 0x80

NORMAL: Final = 1000
GOING_AWAY: Final = 1001
PROTOCOL_ERROR: Final = 1002
NO_STATUS: Final = 1005
"""Stands for an empty close frame; never on the wire."""
ABNORMAL: Final = 1006
"""Stands for an end without any close frame; never on the wire."""
INVALID_DATA: Final = 1007
POLICY_VIOLATION: Final = 1008
TOO_BIG: Final = 1009
INTERNAL_ERROR: Final = 1011
SERVICE_RESTART: Final = 1012
TRY_AGAIN_LATER: Final = 1013
BAD_GATEWAY: Final = 1014

REGISTERED: Final = frozenset((1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014))
"""https://www.iana.org/assignments/websocket/#close-code-number without those that are not sent (1005, 1006, 1015)."""


def may_be_sent(code: int) -> bool:
    """Whether a close frame may carry ``code`` (RFC 6455 section 7.4)."""
    return code in REGISTERED or 3000 <= code <= 4999
