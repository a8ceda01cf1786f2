"""What a stated machine would carry, from the cost of a message: arithmetic with its assumptions said."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import NamedTuple

FILL = 0.7  # of the processors: beyond, queues grow faster than throughput


class Estimate(NamedTuple):
    """``rate``: messages a second at 70 % load. ``by_state``: the state server, which has one thread, is the limit."""

    cores: int
    rate: float
    by_state: bool


def cores_in(machine: str) -> int:
    """The number in ``"8 cores"``. Raises ``ValueError`` with the remedy."""
    found = re.fullmatch(r"\s*(\d+)\s*(?:cores?|cpus?|processors?)?\s*", machine, re.IGNORECASE)
    if found is None or int(found[1]) < 1:
        raise ValueError(f"“{machine}” is no machine; write its cores, such as “8 cores”")
    return int(found[1])


def of(cores: int, cpu_us: Mapping[str, float]) -> Estimate | None:
    """From CPU µs a message of the gateway's workers and of the state server; None where they are not known.

    All cores do nothing but this, and are as fast as the measured one; platform, load and network are elsewhere.
    """
    gateway, state = cpu_us.get("gateway", math.nan), cpu_us.get("state", 0.0)
    if not gateway > 0:
        return None
    shared = cores * FILL * 1e6 / (gateway + state)
    one_thread = FILL * 1e6 / state if state else math.inf
    return Estimate(cores, min(shared, one_thread), one_thread < shared)
