"""The suites: who takes part, in one table. Rates are those of a person in a storm; ``--rate`` scales all of them.

By default each makes a storm that two processors carry with load, platform and gateway together on them, with time
to spare (docs/loadtest.md has the figures).
"""

from __future__ import annotations

from typing import NamedTuple

from loadtest.crowd.arrivals import CALM, Wave
from loadtest.crowd.corpus import HONEST, HOSTILE, Mix, Register

REGISTERS: dict[str, Register] = {
    "Commenter": "comment", "Abuser": "comment",
    "Viewer": "bullet", "Fan": "bullet",
    "Member": "chat", "Poster": "chat",
}  # fmt: skip
"""How people talk, by class of ``loadtest.users``."""

SOCKETS = ("Viewer", "Fan", "Member")
"""People who sit at a WebSocket, each under a name of their own."""
SOCKET_RATE = 0.35  # messages a second: one sender may send 0.5 for long


class Part(NamedTuple):
    """One kind of people in a suite.

    ``user``: name of a class in ``loadtest.users``. ``weight``: their share of the users. ``rate``: messages a second
    and person. ``reads``: how many pages they open for each message (HTTP users). ``rooms``: how many there are.
    """

    user: str
    weight: int
    rate: float
    rooms: int
    mix: Mix = HONEST
    wave: Wave = CALM
    reads: float = 0.0

    @property
    def register(self) -> Register:
        return REGISTERS[self.user]


class Suite(NamedTuple):
    """``users`` and ``shape`` where the command names none."""

    meaning: str
    parts: tuple[Part, ...]
    users: int
    shape: str


SUITES: dict[str, Suite] = {
    "comment-storm": Suite(
        "A news event: everybody comments on a few articles at once.",
        (Part("Commenter", 1, 4.0, 50, reads=0.2),),
        100,
        "spike",
    ),
    "live-show": Suite(
        "A show at its climax: bullets in waves over WebSockets, each on every screen of its room.",
        (
            Part("Viewer", 9, 0.12, 3, wave=Wave(6.0, 0.25, 3.0)),
            Part("Fan", 1, SOCKET_RATE, 3, wave=Wave(6.0, 0.25, 3.0)),
        ),
        300,
        "ramp",
    ),
    "group-chat": Suite(
        "Many groups of which few are awake; sockets and requests.",
        (Part("Member", 4, 0.3, 400), Part("Poster", 1, 4.0, 400)),
        200,
        "soak",
    ),
    "abuse-campaign": Suite(
        "Floods, repeats, evasions, unverified and banned accounts, among people who mean well.",
        (Part("Abuser", 3, 5.0, 10, mix=HOSTILE), Part("Commenter", 2, 2.0, 10)),
        100,
        "spike",
    ),
    "mixed-day": Suite(
        "A bit of everything, as on a platform in the busiest hour of a working day.",
        (
            Part("Commenter", 4, 2.0, 200, reads=0.5),
            Part("Viewer", 8, 0.1, 10, wave=Wave(20.0, 0.2, 3.0)),
            Part("Member", 5, 0.2, 400),
            Part("Poster", 2, 1.5, 400),
            Part("Abuser", 1, 4.0, 20, mix=HOSTILE),
        ),
        300,
        "ramp",
    ),
}


def rates(suite: Suite, users: int, rate: float) -> dict[str, float]:
    """Messages a second and person, by class, so that ``users`` people send ``rate`` together; 0 for the natural rate.

    Nobody at a socket is hurried beyond what one sender may send: others take over, where there are any.
    """
    paces = {part.user: part.rate for part in suite.parts}
    if not rate:
        return paces
    people = {part.user: users * part.weight / _weights(suite) for part in suite.parts}
    slowed: set[str] = set()
    while True:
        left = rate - sum(people[user] * SOCKET_RATE for user in slowed)
        factor = left / sum(people[part.user] * part.rate for part in suite.parts if part.user not in slowed)
        paces = {part.user: SOCKET_RATE if part.user in slowed else part.rate * factor for part in suite.parts}
        more = {user for user, pace in paces.items() if user in SOCKETS and pace > SOCKET_RATE}
        slowed |= more
        if not more or len(slowed) == len(paces):
            return {user: SOCKET_RATE if user in slowed else pace for user, pace in paces.items()}


def offered(suite: Suite, users: int, rate: float) -> float:
    """Messages a second of all ``users`` together: ``rate``, or less where all sit at sockets and it is high."""
    paces = rates(suite, users, rate)
    return sum(users * part.weight / _weights(suite) * paces[part.user] for part in suite.parts)


def senders_needed(suite: Suite, users: int, rate: float) -> int:
    """Accounts it takes so that decent people stay within 5 messages in 10 s, and each socket has one of its own."""
    sockets = sum(part.weight for part in suite.parts if part.user in SOCKETS)
    return round(4 * offered(suite, users, rate)) + -(-users * sockets // _weights(suite)) + 50


def _weights(suite: Suite) -> int:
    return sum(part.weight for part in suite.parts)
