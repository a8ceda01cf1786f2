"""``python -m benchmarks.hot_path.frames``: what one judged frame costs in the worker's own code.

As ``benchmarks.hot_path``, which says how it is measured and told, with sessions in place of requests: from the bytes
of a client's frame to the same bytes for the platform, and from what the platform sends back to the client.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from benchmarks.hot_path.measure import main
from benchmarks.websocket.chat import messages
from gateway.carriers.session import Session
from gateway.http.server.exchange import TakenOver
from gateway.surfaces.input.request import Arrived
from rig.comments import PEOPLE
from rig.worker import Course, Transport


class Sessions(Course):
    """One worker with sockets that are open already."""

    answer = b'"}'

    def __init__(self) -> None:
        super().__init__()
        self._frames = messages(1)
        self._ups: dict[Session, Transport] = {}

    def connect(self, number: int) -> None:
        sockets = self.app._sockets
        route = sockets.routes["groups"]
        fields = {b"x-user-id": b"u%d" % (number % PEOPLE + 1), b"host": b"127.0.0.1", b"upgrade": b"websocket"}
        arrived = Arrived(
            b"GET", fields, parameters={"room": str(number % 50)}, peer_ip="127.0.0.1", peer_trusted=True
        )  # fmt: skip
        client, up = Transport(), Transport()
        session = Session(sockets, route, arrived)
        account = self.app._server.turns.account("127.0.0.1")
        taken = TakenOver(client, b"", _released, account)  # type: ignore[arg-type]  # a feigned one
        session.open(taken, b"", up, b"", _released, extensions=False)  # type: ignore[arg-type]
        self.clients.append(session)  # type: ignore[arg-type]
        self.transports.append(client)
        self._ups[session] = up

    async def turn(self, clients: list[Any], requests: list[Any]) -> None:
        spent = self.spent
        clock = time.thread_time
        began = clock()
        for client, (sent, _) in zip(clients, requests, strict=True):
            client.data_received(sent)
        at = clock()
        spent["request"] += at - began
        await asyncio.sleep(0)
        now = clock()
        spent["ask"] += now - at
        reply = self.facts()
        now = clock()
        self.link.received(self.wire, reply)
        at = clock()
        spent["judge"] += at - now
        assert all(
            self._ups[client].last == sent for client, (sent, _) in zip(clients, requests, strict=True)
        )  # fmt: skip
        at = clock()
        for client, (_, back) in zip(clients, requests, strict=True):
            client.relay.data_received(back)
        now = clock()
        spent["answer"] += now - at
        await asyncio.sleep(0)
        spent["outcome"] += clock() - now

    def drawn(self) -> Any:
        for clients, _ in super().drawn():
            yield clients, [next(self._frames) for _ in clients]


def _released() -> None:
    """Nothing counts these connections."""


if __name__ == "__main__":
    main(Sessions(), "benchmarks.hot_path.frames", __doc__)
