"""Why the gateway itself ends a socket: one table of reason codes, each with the close code that tells it.

A protocol error has its row in ``frames.REASONS``; every other ending of ours is here. The reason code is the close
frame's text, and the label of ``tidegate_socket_ends_total``.
"""

from __future__ import annotations

from typing import Final

from filters.model.meaning import Meaning, titled
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
UNKNOWN_SENDER: Final = "socket.unknown_sender"
FAILURE: Final = "socket.failure"

ENDINGS: Final[dict[str, Meaning]] = {
    CLIENT_SLOW: titled(TRY_AGAIN_LATER, "The client reads too slowly", "客户端读取过慢"),
    CLIENT_SILENT: titled(GOING_AWAY, "The client answers no ping", "客户端未回应 ping"),
    IDLE: titled(GOING_AWAY, "Nothing was said in either direction", "双方长时间没有数据往来"),
    UPSTREAM_SLOW: titled(TRY_AGAIN_LATER, "The upstream reads too slowly", "上游服务器读取过慢"),
    UPSTREAM_SILENT: titled(BAD_GATEWAY, "The upstream answers no ping", "上游服务器未回应 ping"),
    UPSTREAM_CLOSED: titled(
        BAD_GATEWAY, "The upstream's connection ended without a close frame", "上游服务器未发送关闭帧就断开了连接"
    ),
    UPSTREAM_GARBAGE: titled(
        BAD_GATEWAY, "What the upstream sent is no sequence of frames", "上游服务器发来的数据不是有效的帧序列"
    ),
    STOPPING: titled(
        SERVICE_RESTART,
        "The gateway stops; another one takes the next connection",
        "网关正在停止；重新连接后由另一实例接续",
    ),
    BLOCKED: titled(
        POLICY_VIOLATION,
        "The sender is blocked, and the route closes the sockets of the blocked",
        "发送者已被封禁，且此路由会关闭被封禁者的连接",
    ),
    TOO_MANY_PACKETS: titled(
        POLICY_VIOLATION, "A frame holds more packets than the bound", "单个帧中的数据包数超出上限"
    ),
    TOO_MANY_CONTROLS: titled(
        POLICY_VIOLATION, "The client sends more pings and pongs than the bound", "客户端发送的 ping 和 pong 超出上限"
    ),
    TOO_MANY_MALFORMED: titled(
        POLICY_VIOLATION,
        "The client sends more frames that cannot be read than the bound",
        "客户端发送的无法读取的帧超出上限",
    ),
    UNKNOWN_SENDER: titled(
        POLICY_VIOLATION,
        "The platform does not know who sends, and the route closes such sockets",
        "平台无法确认发送者，且此路由会关闭这样的连接",
    ),
    FAILURE: titled(INTERNAL_ERROR, "The gateway failed", "网关发生内部错误"),
}
"""By reason code: the close code, and what it means. 1012 to 1014: https://www.iana.org/assignments/websocket/#close-code-number."""


def code_of(reason: str) -> int:
    """The close code of an ending of ours, protocol errors included."""
    row = ENDINGS.get(reason) or frames.REASONS[reason]
    return row.status
