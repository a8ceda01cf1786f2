"""This node among those of its database: in its row, once a second, with what it serves; and who the others are.

A node whose control was not seen for ``LIVING_US`` is gone for the others, who do its work: its acts go into the
leader's journal, so that each is on record somewhere. A node that has a file is alone, leads, and writes when something
has changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from gateway.control.acts.database import Database
from gateway.control.acts.refusal import DatabaseUnavailable
from gateway.control.nodes import leading, registering
from gateway.control.nodes.clock_skew import ClockSkew
from gateway.control.nodes.database_clock import clock_us
from gateway.control.nodes.leading import Leading
from gateway.control.nodes.registering import LIVING_US, ThisNode
from gateway.control.nodes.rows import NodeRow
from gateway.journal.write import ids
from gateway.node.folder_number import OtherNumber


class ServedGeneration(NamedTuple):
    """The generation in force here, and the digest of what it judges by. ``at``: when it came into force, µs since the
    epoch by this machine's clock; 0 where nobody knows."""

    generation: int
    compiled: str
    at: int = 0

    def ago(self) -> int:
        """µs for which it is in force: not from when a beat saw it, since two nodes' beats may see two changes the
        other way round."""
        return max(0, time.time_ns() // 1000 - self.at) if self.at else 0


class NodeSeen(NamedTuple):
    """A node as the database has it. ``ago``: µs since it was seen."""

    number: int
    generation: int
    compiled: str
    since: int
    ago: int

    @property
    def lives(self) -> bool:
        """Whether it does its work itself."""
        return self.ago < LIVING_US


class Presence:
    """``serving`` tells what is in force here; ``skew`` keeps how far our clock is from the database's."""

    def __init__(
        self,
        database: Database,
        node: ThisNode,
        serving: Callable[[], ServedGeneration],
        leading: Leading,
        skew: ClockSkew,
    ) -> None:
        self.node = node
        self.leading = leading
        self.skew = skew
        self.seen: tuple[NodeSeen, ...] = ()  # this one among them
        self._database = database
        self._serving = serving
        self._alone = isinstance(database.place, Path)
        self._told: ServedGeneration | None = None

    def leads(self) -> bool:
        """Whether this control does what one of them has to do."""
        return self._alone or self.leading()

    async def register(self) -> None:
        """Before anything is done. Raises ``OtherNumber``, ``DatabaseUnavailable``."""
        serving = self._serving()
        told = await self._database.run(
            lambda session: registering.registered(
                session, self.node, serving.generation, serving.compiled, serving.ago(), alone=self._alone
            )
        )
        if told:
            raise OtherNumber(told)
        self._told = serving
        await self.beat()

    async def beat(self) -> None:
        """Say that we are here, and ask to lead. Raises ``OtherNumber``, ``DatabaseUnavailable``."""
        serving = self._serving()
        if self._alone:
            if serving != self._told:
                await self._database.run(lambda session: self._here(session, serving))
                self._told = serving
            return
        asked = self.leading.ask()
        leads, problem = await self._database.run(lambda session: self._here(session, serving))
        if problem:
            raise OtherNumber(problem)
        self.leading.told(asked, leads=leads)

    def _here(self, session: Session, serving: ServedGeneration) -> tuple[bool, str]:
        problem = "" if self._alone else registering.obstacle(session, self.node)
        if problem:
            return False, problem
        now = clock_us(session) if self._alone else self.skew.ask(lambda: clock_us(session))
        row = session.get(NodeRow, self.node.number)
        if row is None:  # retired while nobody heard of it
            registering.registered(
                session, self.node, serving.generation, serving.compiled, serving.ago(), alone=self._alone
            )
        else:
            registering.served(row, serving.generation, serving.compiled, serving.ago(), now)
        leads = self._alone or leading.renewed(session, self.leading.holder)
        session.flush()
        self.seen = tuple(
            NodeSeen(one.number, one.generation, one.compiled, one.since, now - one.seen)
            for one in session.scalars(select(NodeRow).order_by(NodeRow.number))
        )
        return leads, ""

    async def leave(self) -> None:
        """End well: nobody has to wait for our lease. A database that is away is not waited for."""
        if self._alone or not self.leading():
            return
        self.leading.told(0, leads=False)
        try:
            await self._database.run(
                lambda session: leading.given_back(session, lambda holder: holder == self.leading.holder)
            )
        except DatabaseUnavailable:
            return

    def records(self, uid: InstrumentedAttribute[str]) -> ColumnElement[bool]:
        """Which acts, by their names, go into this node's journal: its own, and while it leads those of nodes that are
        gone."""
        if self._alone:
            return true()
        named = func.substr(uid, ids.NODE_AT + 1, ids.NODE_DIGITS)
        if not self.leads():
            return named == ids.node_digits(self.node.number)
        others = [one.number for one in self.seen if one.lives and one.number != self.node.number]
        return named.not_in([ids.node_digits(number) for number in others])

    @property
    def note(self) -> str:
        """That another node serves what came later; empty where none does. Those that are gone say nothing."""
        own = next((one for one in self.seen if one.number == self.node.number), None)
        if own is None:
            return ""
        newer = [one for one in self.seen if one.lives and one.compiled != own.compiled and one.since > own.since]
        if not newer:
            return ""
        told = ", ".join(f"node {one.number} ({one.generation})" for one in newer)
        return f"generation {own.generation} is older than what others serve: {told}"
