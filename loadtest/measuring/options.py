"""Settings of a test as Locust knows them: on its command line, in its web form, and sent to its workers."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any, NamedTuple, cast

from loadtest.crowd.suites import SUITES
from loadtest.shapes import SHAPES

DEMO_SENDERS = 200  # u1 to u200 of ``tidegate demo``


class Options(NamedTuple):
    """``everybody``: users of the whole test at its fullest, which a load worker cannot know by itself.

    ``senders``: verified accounts u1 to uN. ``fresh``: a node of our own, where nobody else writes and the address has
    no limit. ``again``: they wrote in the last minute all the same. ``direct``: straight at the platform, where nothing
    is judged. ``processes``: of the load, sharing senders.
    """

    suite: str
    shape: str
    seconds: float
    rate: float
    senders: int
    seed: int
    fresh: bool
    again: bool
    direct: bool
    record: str
    everybody: int
    processes: int

    @classmethod
    def of(cls, parsed: Namespace) -> Options:
        """From what Locust parsed, or got from its master."""
        values: dict[str, Any] = {name: getattr(parsed, name) for name in cls._fields if name != "processes"}
        return cls(**values, processes=max(1, cast(int, getattr(parsed, "expect_workers", 1) or 1)))


def add_to(parser: ArgumentParser) -> None:
    """Add our options to Locust's."""
    group: Any = parser  # Locust's own, which knows what its web form shows
    group.add_argument("--suite", choices=sorted(SUITES), default="comment-storm", help="Who takes part")
    group.add_argument("--shape", choices=["", *SHAPES], default="", help="How many users when; empty: the suite's own")
    group.add_argument("--seconds", type=float, default=60.0, help="Duration of the test")
    group.add_argument("--rate", type=float, default=0.0, help="Messages a second of all users; 0: as is natural")
    group.add_argument("--senders", type=int, default=DEMO_SENDERS, help="Verified accounts, u1 to uN")
    group.add_argument("--seed", type=int, default=0, help="Of everything drawn; 0: another one each time")
    # What only a program sets is not shown in the web form.
    hidden: dict[str, Any] = {"include_in_web_ui": False}
    group.add_argument("--fresh", action="store_true", help="A node of our own, which nobody else uses", **hidden)
    group.add_argument("--again", action="store_true", help="Our own senders wrote a moment ago", **hidden)
    group.add_argument("--direct", action="store_true", help="Straight at the platform: nothing is judged", **hidden)
    group.add_argument("--record", default="", help="File for one JSON line a second", **hidden)
    group.add_argument("--everybody", type=int, default=0, help="Set by the shape", **hidden)
