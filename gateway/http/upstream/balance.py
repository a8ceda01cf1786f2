"""Which server gets the next call."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Collection, Sequence
from itertools import accumulate
from random import random
from typing import Generic, Protocol, TypeVar


class Candidate(Protocol):
    """A server as balancing sees it.

    ``turn`` belongs to the round robin; it lives on the server so that a reload keeps it. ``active`` counts calls in
    progress, connections being opened and upgraded ones. ``has_room``: a connection is idle, or another may be opened.
    """

    weight: int
    turn: int

    @property
    def active(self) -> int: ...
    @property
    def has_room(self) -> bool: ...


C = TypeVar("C", bound=Candidate)


class Balance(Protocol[C]):
    """A way to choose among the servers that it was made for."""

    def pick(self, tried: Collection[C] = ()) -> C | None:
        """A server with room that is not in ``tried``; None when there is none."""
        ...


class RoundRobin(Generic[C]):
    """Smooth weighted round robin, as in nginx: weights 5, 1, 1 give a a b a c a a, not a a a a a b c.

    https://github.com/nginx/nginx/commit/52327e0627f49dbda1e8db695e63a4b0af4448b1
    """

    __slots__ = ("_servers",)

    def __init__(self, servers: Sequence[C]) -> None:
        self._servers = tuple(servers)

    def pick(self, tried: Collection[C] = ()) -> C | None:
        """See ``Balance``. A server without room keeps its turn."""
        best: C | None = None
        total = 0
        for server in self._servers:
            if server in tried or not server.has_room:
                continue
            total += server.weight
            server.turn += server.weight
            if best is None or server.turn > best.turn:
                best = server
        if best is not None:
            best.turn -= total
        return best


class LeastConnections(Generic[C]):
    """The less busy of two servers drawn at random by weight ("power of two choices", Mitzenmacher 2001).

    Always taking the least busy of all sends every worker of every node to the same server at once; two draws avoid
    the herd and come close to the optimum.
    """

    __slots__ = ("_bounds", "_random", "_servers")

    def __init__(self, servers: Sequence[C], random: Callable[[], float] = random) -> None:
        self._servers = tuple(servers)
        self._bounds = tuple(accumulate(server.weight for server in servers))
        self._random = random

    def pick(self, tried: Collection[C] = ()) -> C | None:
        """See ``Balance``. Looks at all servers only when neither of the two drawn can take the call."""
        first, second = self._draw(), self._draw()
        pair = (first,) if first is second else (first, second)
        return _least([server for server in pair if server not in tried and server.has_room]) or _least(
            [server for server in self._servers if server not in tried and server.has_room]
        )

    def _draw(self) -> C:
        return self._servers[bisect(self._bounds, self._random() * self._bounds[-1])]


def _least(servers: list[C]) -> C | None:
    return min(servers, key=lambda server: (server.active + 1) / server.weight, default=None)
