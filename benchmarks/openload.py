"""Open-model load: requests leave on a schedule, whatever the answers do, and latency counts from the schedule.

So a stall of the gateway shows as the latency of every request that was due meanwhile, instead of as fewer requests
(coordinated omission, which closed-loop tools such as wrk have by design). Run as a process of its own, pinned:
``python -m benchmarks.openload --port P --rate R --seconds S``; prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from collections import deque
from typing import cast

import uvloop

WORDS = [
    "今天", "天气", "不错", "文章", "写得", "真好", "支持", "作者", "请问", "哪里", "可以", "看到", "更多", "内容", "谢谢", "分享",
    "good", "point", "thanks", "agreed", "reading", "tomorrow", "再来", "一次",
]  # fmt: skip
TICK = 0.0005  # seconds between two looks at the schedule


class Requests:
    """Comments as wrk_comments.lua makes them."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)
        self._count = 0

    def next(self) -> bytes:
        """The bytes of one request, with a text that is new each time."""
        draw = self._draw
        self._count += 1
        body = f'{{"content":"{"".join(draw.choices(WORDS, k=9))}{self._count}"}}'.encode()
        return (
            b"POST /api/articles/%d/comments HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: application/json\r\nAccept-Language: zh-CN,zh;q=0.9\r\nContent-Type: application/json\r\n"
            b"X-User-Id: u%d\r\nCookie: sid=4f1d2c; theme=dark\r\nContent-Length: %d\r\n\r\n%b"
            % (int(50 ** draw.random()), draw.randint(1, 2000), len(body), body)
        )


class Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request under way."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._due = 0.0
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own class is no subclass of it
        self._load.free.append(self)

    def send(self, due: float, request: bytes) -> None:
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        at = head.lower().find(b"content-length: ")
        length = int(head[at + 16 :].split(b"\r", 1)[0])
        if len(body) < length:
            return
        self._received = b""
        self._load.answered(self, time.perf_counter() - self._due, head[9:12] == b"201")

    def connection_lost(self, error: Exception | None) -> None:
        self._load.lost += 1


class Load:
    """The schedule and what came of it."""

    def __init__(self, rate: float, seconds: float, seed: int) -> None:
        self.free: deque[Connection] = deque()
        self.latencies: list[float] = []
        self.wrong = 0
        self.lost = 0
        self._waiting: deque[float] = deque()
        self._requests = Requests(seed)
        self._draw = random.Random(seed + 1)
        self._rate = rate
        self._seconds = seconds

    def answered(self, connection: Connection, latency: float, right: bool) -> None:
        self.latencies.append(latency)
        self.wrong += not right
        if self._waiting:
            connection.send(self._waiting.popleft(), self._requests.next())
        else:
            self.free.append(connection)

    async def run(self) -> None:
        began = due = time.perf_counter()
        while due < began + self._seconds:
            now = time.perf_counter()
            while due <= now:
                if self.free:
                    self.free.pop().send(due, self._requests.next())
                else:
                    self._waiting.append(due)
                due += self._draw.expovariate(self._rate)  # arrivals of independent people are a Poisson process
            await asyncio.sleep(TICK)
        until = time.perf_counter() + 5
        while (self._waiting or len(self.free) < self.connections - self.lost) and time.perf_counter() < until:
            await asyncio.sleep(0.01)

    async def open(self, port: int, connections: int) -> None:
        self.connections = connections
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            await loop.create_connection(lambda: Connection(self), "127.0.0.1", port)


def percentile(ordered: list[float], share: float) -> float:
    """The value below which ``share`` of the ordered ones lie."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    load = Load(options.rate, options.seconds, options.seed)
    await load.open(options.port, options.connections)
    began = time.perf_counter()
    await load.run()
    ordered = sorted(load.latencies)
    result = {
        "offered": options.rate,
        "answered": len(ordered),
        "wrong": load.wrong,
        "lost": load.lost,
        "seconds": time.perf_counter() - began,
        **{f"p{name}_us": round(percentile(ordered, share) * 1e6) for name, share in
           (("50", 0.5), ("99", 0.99), ("999", 0.999))},
    }  # fmt: skip
    print(json.dumps(result))


if __name__ == "__main__":
    uvloop.run(main())
