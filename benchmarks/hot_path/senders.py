"""``python -m benchmarks.hot_path.senders``: what a sender costs whom the platform named, beside one of a header.

The very same requests through two workers, one after the other in slices, in this process: the one reads the sender
from ``X-User-Id``, the other knows by their credentials whom the platform has named before (``whoami:``), by a cookie
among others or by a token. What is told is the median over the slices of the ratio of the two, and the spread of a
worker measured against a second one of its own kind: what a difference has to exceed.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import tempfile
import time
from math import inf
from pathlib import Path
from typing import Any, Final

import uvloop

from benchmarks.hot_path.measure import MEMORY
from gateway.senders.known_senders import KnownSender
from gateway.worker import __main__ as worker
from rig.comments import PEOPLE
from rig.configuration import CONFIGURATION
from rig.worker import SLICE, TOGETHER, Course

HEADER: Final = 'sender = "header:X-User-Id"\ntrust'
WHOAMI: Final = """sender = "whoami:"
whoami = {{{{ ask = "GET /me", credentials = "{}", id = "json:/id", on_error = "reject", max_known = 5000 }}}}
trust"""


class Senders(Course):
    """``credential``: by which the platform knows people; empty for the header."""

    def __init__(self, credential: str = "") -> None:
        super().__init__()
        self.credential = credential
        if credential:
            self.configuration = CONFIGURATION.replace(HEADER, WHOAMI.format(credential), 1)

    def introduce(self) -> None:
        """Everybody has been asked for."""
        (route,) = (one for one in self.app._config.routes if one.name == "article-comments")
        for whoami in self.app._senders._platforms.values():
            assert route.whoami is not None
            for number in range(1, PEOPLE + 1):
                name = f"u{number}"
                fields = dict(line.split(b": ", 1) for line in presented(name))
                fields = {field.lower(): value for field, value in fields.items()}
                key = whoami.key(fields, frozenset())
                by = whoami._credentials.of_sender(name)
                whoami.senders.name(key, KnownSender(name, by, 0.0, inf))


def presented(name: str) -> list[bytes]:
    """What everybody sends, whichever of it is read: as long as credentials are."""
    session = b"%b.4f1d2c9ab07e4d55a1f6c3e2" % name.encode()
    return [
        b"Cookie: _ga=GA1.1.1804289383.1700000000; theme=dark; session=%b; lang=zh-CN" % session,
        b"Authorization: Bearer %b" % session,
    ]


def with_credentials(request: bytes) -> bytes:
    """The load's own request, with them in it."""
    name = request.partition(b"X-User-Id: ")[2].partition(b"\r\n")[0].decode()
    head, _, rest = request.partition(b"Cookie: sid=4f1d2c; theme=dark\r\n")
    return head + b"\r\n".join(presented(name)) + b"\r\n" + rest


async def slice_of(course: Course, requests: list[list[bytes]]) -> float:
    """Processor seconds of one slice."""
    clock = time.thread_time
    began = clock()
    for sent in requests:
        await course.turn(next(course.turns), sent)
    return clock() - began


async def measure(slices: int) -> None:
    """Measure, and print."""
    courses = {
        "header": Senders(),
        "header again": Senders(),
        "cookie": Senders("cookie:session"),
        "token": Senders("header:Authorization"),
    }
    with tempfile.TemporaryDirectory(dir=MEMORY) as scratch:
        for name, course in courses.items():
            root = Path(scratch) / name.replace(" ", "-")
            root.mkdir()
            await course.build(root)
            course.introduce()
        worker.freeze()
        draw = courses["header"].requests
        spent: dict[str, list[float]] = {name: [] for name in courses}
        order = list(courses)
        for number in range(slices + 20):
            requests = [[with_credentials(draw.next()) for _ in range(TOGETHER)] for _ in range(SLICE)]
            for name in order:
                seconds = await slice_of(courses[name], requests)
                if number >= 20:  # until everything is warm
                    spent[name].append(seconds)
            order.append(order.pop(0))  # nobody is always first
            if number % 64 == 0:
                gc.collect()
        for course in courses.values():
            course.journal.close()
    print_ratios(spent)


def print_ratios(spent: dict[str, list[float]]) -> None:
    """Least microseconds a message, and the median ratio to the header, slice by slice, with its quartiles."""
    for name, seconds in spent.items():
        ratios: list[Any] = [one / other for one, other in zip(seconds, spent["header"], strict=True)]
        low, median, high = statistics.quantiles(ratios, n=4)
        least = min(seconds) / (SLICE * TOGETHER) * 1e6
        print(f"{name:13} {least:7.2f} µs   ratio {median:.4f} ({low:.4f} to {high:.4f})")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hot_path.senders", description=__doc__)
    parser.add_argument("--slices", type=int, default=1500)
    chosen = parser.parse_args()
    uvloop.run(measure(chosen.slices))


if __name__ == "__main__":
    main()
