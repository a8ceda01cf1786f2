"""One line of a policy, and what it needs to know of state: what every check is bound to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from filters.model.limits import Limit
from filters.model.message import Message
from filters.model.verdict import Action, Facts, Finding, Missing, OnError, Scan

Mode = Literal["enforce", "shadow"]

Found = Sequence[Finding] | Missing
Find = Callable[[Message, Scan, Facts], Found]


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a policy. ``options`` is the check's own frozen dataclass; ``label`` the text of a label."""

    check: str
    action: Action
    on_error: OnError
    options: object
    ground: str = ""
    mode: Mode = "enforce"
    label: str = ""


class Repeat(NamedTuple):
    """How often one folded text may be seen: ``quota`` times in ``period_us``.

    ``scope`` is ``sender`` (the same person), or ``room`` or ``global``: across people, and then only texts of at
    least ``min_length`` folded code points from at least ``senders`` people count, so that "666" and "哈哈哈" pass.
    """

    scope: str
    quota: int
    period_us: int
    min_length: int = 0
    senders: int = 1


@dataclass(slots=True)
class Asks:
    """What a policy's rules need to know of state. Rules register while they are bound; the state client reads it.

    Limits and repeats of shadow rules stand apart, so that they count under keys of their own (law 4).
    ``ipv6_prefix``: bits of an IPv6 address by which it counts. ``approved``: the account is asked for also
    where a front vouches for a level.
    """

    account: bool = False
    approved: bool = False
    blocks: bool = False
    room: bool = False
    limits: list[Limit] = field(default_factory=list)
    shadow_limits: set[int] = field(default_factory=set)
    repeats: list[Repeat] = field(default_factory=list)
    shadow_repeats: set[int] = field(default_factory=set)
    lists: list[str] = field(default_factory=list)
    crowd: list[str] = field(default_factory=list)  # of them those that are read over everybody's messages in a room
    fingerprint: bool = False
    ipv6_prefix: int = 64

    def limit(self, limit: Limit, mode: Mode) -> int:
        """Ask for one limit; returns its place in ``Facts.limits``."""
        self.limits.append(limit)
        if mode == "shadow":
            self.shadow_limits.add(len(self.limits) - 1)
        return len(self.limits) - 1

    def repeat(self, repeat: Repeat, mode: Mode) -> int:
        """Ask for one repeat count; returns its place in ``Facts.repeats``."""
        self.fingerprint = True
        self.repeats.append(repeat)
        if mode == "shadow":
            self.shadow_repeats.add(len(self.repeats) - 1)
        return len(self.repeats) - 1

    @property
    def anything(self) -> bool:
        """False when no rule needs state at all; then nothing is asked and nothing can be missing."""
        return self.account or self.blocks or self.room or bool(self.limits) or bool(self.repeats)
