"""What each system must do with a frame before it is measured: a fast wrong answer is no result."""

from __future__ import annotations

import json
import socket
import time

from benchmarks.load.faults import WrongAnswer
from benchmarks.systems.expectations import REPEATED
from benchmarks.systems.system import System
from benchmarks.websocket.chat import ECHO, Frame, answered, handshake, said
from benchmarks.websocket.opening import open_all

WITHIN = 5.0  # seconds for an answer
ROOM = ECHO.format(room=1)


def answer(peer: socket.socket, frame: Frame) -> bytes:
    """Say something; the payload of the next message that comes back. Raises ``WrongAnswer`` where none does."""
    peer.settimeout(WITHIN)
    data = b""
    try:
        peer.sendall(frame.sent)
        while received := peer.recv(65536):
            data += received
            try:
                payloads, _ = answered(data)
            except ValueError as error:
                if str(error) == "amid a frame":
                    continue
                raise WrongAnswer(f"{error} behind {frame.back!r}") from None
            if payloads:
                return payloads[0]
    except TimeoutError:
        pass
    raise WrongAnswer(f"no answer to {frame.back!r}")


def passed(frame: Frame, payload: bytes) -> bool:
    """Whether a frame came back from the platform as it was; False for a notice with a reason.

    Raises ``WrongAnswer`` for anything else.
    """
    if frame.back.endswith(payload):
        return True
    try:
        told = json.loads(payload)
    except ValueError:
        told = None
    if isinstance(told, dict) and told.get("reason"):
        return False
    raise WrongAnswer(f"{frame.back!r} was answered {payload!r}")


def hold(system: System, word: str) -> None:
    """Ask the system everything it claims to check; ``word`` is on its list. Raises ``WrongAnswer``."""
    cases: list[tuple[str, str, Frame, bool]] = [
        ("an ordinary message", "u1", said(f"today {time.time_ns()}"), True),
    ]
    if system.checks != "none":
        cases += [
            ("a sender nobody knows", "nobody", said("hello"), False),
            ("a listed word", "u2", said(f"well, {word}!"), False),
            ("an ordinary message behind a refused one", "u2", said(f"well {time.time_ns()}"), True),
        ]
        cases += [(f"the same message, time {n}", "u3", said(REPEATED), n <= 3) for n in range(1, 5)]
    if system.checks == "folded":
        disguised = f"{word[0]}\u200b-\uff0e{word[1:]}"
        cases.append(("a listed word, disguised", "u2", said(f"well, {disguised}"), False))
    senders = sorted({sender for _, sender, _, _ in cases})
    peers = dict(
        zip(senders, open_all(system.port, [handshake(ROOM, sender) for sender in senders]).peers, strict=True)
    )
    try:
        for what, sender, frame, expected in cases:
            found = passed(frame, answer(peers[sender], frame))
            if found is not expected:
                raise WrongAnswer(f"{system.name} {'passed' if found else 'refused'} {what}")
    finally:
        for peer in peers.values():
            peer.close()
