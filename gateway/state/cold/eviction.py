"""What a state server throws away when its memory is full, as it tells itself (INFO: ``maxmemory_policy``).

Governance data have no expiry: a policy that evicts any key takes blocks, and is refused whatever the memory's bound
is, because that can be set at any time. Counts have one. ``volatile-ttl`` takes what would be gone soonest; any other
``volatile-*`` may take the count of a limit that lasts, and is refused where a policy has such limits.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from redis.exceptions import RedisError, ResponseError

from filters.model.errors import TidegateError
from filters.model.rule import Asks

LASTING_US = 600_000_000  # as admit.lua has it: counts that live so long are kept over restarts and fail-overs
HARMLESS = ("noeviction", "volatile-ttl", "")


class EvictionRefused(TidegateError):
    """The server's policy may take keys of ours; the text names it and the remedy."""


class Eviction(NamedTuple):
    """``policies``: of every server that was asked, empty where none may tell. ``evicted``: keys since they started."""

    policies: frozenset[str]
    evicted: int

    def problem(self, lasting: bool) -> str:
        """Why this endangers what is kept; empty where it does not. ``lasting``: whether limits that last are counted
        here."""
        for policy in sorted(self.policies):
            if policy.startswith("allkeys-"):
                return (
                    f"maxmemory-policy {policy} may evict blocks and accounts: set it to noeviction or volatile-ttl on "
                    "the server of [state]"
                )
            if lasting and policy not in HARMLESS:
                return (
                    f"maxmemory-policy {policy} may evict the counts of limits and repeats of ten minutes and longer: "
                    "set it to noeviction or volatile-ttl on the server of [state]"
                )
        return ""


def lasting(asked: Iterable[Asks]) -> bool:
    """Whether any of these policies counts something for ten minutes or longer."""
    return any(
        period >= LASTING_US
        for asks in asked
        for period in (*(limit.period_us for limit in asks.limits), *(repeat.period_us for repeat in asks.repeats))
    )


async def told(redis: Any, *, cluster: bool) -> Eviction:
    """Ask the server, or every primary. A server that tells nothing (NOPERM, a proxy) is believed to evict nothing;
    raises where it does not answer."""
    try:
        if cluster:
            nodes = redis.get_primaries()
            answers = [(await redis.info(part, target_nodes=node)) for node in nodes for part in ("memory", "stats")]
        else:
            answers = [await redis.info("memory"), await redis.info("stats")]
    except ResponseError:
        return Eviction(frozenset(), 0)
    except RedisError as error:
        raise ConnectionError(type(error).__name__) from None
    policies = frozenset(str(answer["maxmemory_policy"]) for answer in answers if "maxmemory_policy" in answer)
    return Eviction(policies, sum(int(answer.get("evicted_keys", 0)) for answer in answers))
