"""What each system must answer before and while it is measured: a fast wrong answer is no result."""

from __future__ import annotations

import socket
import time

from benchmarks.load.faults import WrongAnswer
from benchmarks.systems.system import System
from rig.comments import request

REPEATED = "once is fine, four times is not"


def status(port: int, sent: bytes, within: float = 5.0) -> int:
    """Send bytes on a connection of their own; the status of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=within) as peer:
        peer.sendall(sent)
        data = b""
        while not whole(data):
            received = peer.recv(65536)
            if not received:
                break
            data += received
    return int(data[9:12]) if data else 0


def whole(data: bytes) -> bool:
    """Whether an answer framed by Content-Length is complete."""
    head, separator, body = data.partition(b"\r\n\r\n")
    if not separator:
        return False
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return len(body) >= int(value)
    return False


def _as_malformed(sent: bytes) -> bytes:
    return sent.replace(b'{"content"', b'{"conten"}')


def hold(system: System, word: str) -> None:
    """Ask the system everything it claims to check; ``word`` is on its list. Raises ``WrongAnswer``."""
    cases: list[tuple[str, bytes, tuple[int, ...]]] = [
        ("an ordinary comment", request(f"today {time.time_ns()}", "u1"), (201,))
    ]
    if system.checks != "none":
        cases += [
            ("a sender nobody knows", request("hello", "nobody"), (403,)),
            ("a listed word", request(f"well, {word}!", "u2"), (403,)),
            ("a body without its text", _as_malformed(request("hello", "u2")), (400,)),
        ]
        cases += [
            (f"the same comment, time {n}", request(REPEATED, "u3"), (201,) if n <= 3 else (403, 429))
            for n in range(1, 5)
        ]
    if system.checks == "folded":
        disguised = f"{word[0]}\u200b-\uff0e{word[1:]}"
        wide = "ＷＥＬＬ"
        cases += [
            ("a listed word, disguised", request(f"well, {disguised}", "u2"), (403,)),
            ("harmless full-width letters", request(f"{wide} {time.time_ns()}", "u2"), (201,)),
        ]
    for what, sent, expected in cases:
        found = status(system.port, sent)
        if found not in expected:
            raise WrongAnswer(f"{system.name} answered {what} with {found}, not {' or '.join(map(str, expected))}")
