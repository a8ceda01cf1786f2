"""A small recorded result: five steps of two seconds, 100 to 500 messages/s, of which the last falls short."""

from __future__ import annotations

from typing import Any

from loadtest.measuring.load import Order, Run
from loadtest.measuring.tally import Tally

BEGAN = 1_000_000.0
ORDER = Order("comment-storm", "steps", 50, 500.0, 10.0, 2000, 1, 1, False)


def second(number: int, messages: int, took: float, users: int, lag: float = 0.001) -> dict[str, Any]:
    """Nine in ten pass in ``took`` seconds, the rest are refused in 1 ms; a page is read besides."""
    tally = Tally()
    for each in range(messages):
        refused = each % 10 == 0
        tally.answered("article-comments", 0.001 if refused else took, "keyword.match" if refused else "pass")
        tally.late(0.0001)
    tally.answered("read an article", 0.5, "read")
    for _ in range(100):
        tally.lagged(lag)
    return {"at": BEGAN + 1 + number, "users": users, "processes": 1, **tally.drain()}


def gateway() -> Run:
    """The gateway's workers spend 100 µs a message, the state server 25 µs; checks take 60 µs, one in 200 3 ms."""
    rates = [100, 100, 200, 200, 300, 300, 400, 400, 410, 410]
    seconds = [second(n, rate, 0.002 if rate < 400 else 0.02, 10 * (n // 2 + 1)) for n, rate in enumerate(rates)]
    samples: list[dict[str, Any]] = []
    judged = 1000
    for number, rate in enumerate([0, *rates]):
        judged += rate
        samples.append(
            {
                "at": BEGAN + number,
                "cpu": {
                    "gateway": judged * 1e-4, "state": judged * 25e-6, "load": number * 0.95, "machine": number * 1.5,
                },
                "processes": {"gateway": 1, "state": 1, "load": 1, "machine": 2},
                "stolen": number * 0.01,
                "messages": float(judged),
                "checks": {"0.0001": judged * 0.995, "0.001": judged * 0.995, "0.005": judged, "+Inf": judged},
            }
        )  # fmt: skip
    return Run(seconds, samples)


def direct() -> Run:
    """The platform alone answers in 1 ms."""
    return Run([second(number, 200, 0.001, 50) for number in range(10)], [])


def steady(messages: int = 100, took: float = 0.002, lag: float = 0.001, lasts: int = 10) -> Run:
    """The same every second, on two processors of which everybody together has 0.95."""
    seconds = [second(number, messages, took, 50, lag) for number in range(lasts)]
    samples: list[dict[str, Any]] = [
        {"at": BEGAN + number, "cpu": {"gateway": number * 0.4, "load": number * 0.5, "machine": number * 0.95},
         "processes": {"gateway": 1, "load": 1, "machine": 2}, "stolen": 0.0}
        for number in range(lasts + 1)
    ]  # fmt: skip
    return Run(seconds, samples)
