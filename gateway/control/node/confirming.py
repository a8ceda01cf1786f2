"""Keeps state's image of governance true: looks whose it is, and rebuilds it where state has lost it.

A server that was started again, or a replica that took over, may lack what was written last. What was projected since
a look at which every replica had everything is written again at once, by each control; all of it is rebuilt after that,
which takes as long as there are rows.

A state that is newer than the database is not touched: the database lacks what was done since (``Authority``).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import structlog

from gateway.common.metrics import Count
from gateway.common.rounds import Rounds
from gateway.control.acts.authority import Authority, older_than_state
from gateway.control.acts.database import Database
from gateway.control.acts.neighbours import Projection
from gateway.control.acts.outbox import OutboxRelay, again, projected_up_to
from gateway.control.acts.refusal import DatabaseUnavailable
from gateway.control.acts.rows import newest_act
from gateway.control.node.state_rebuild import newest, rebuild
from gateway.control.workers.totals import Series
from gateway.state.cold.governance_projection import EpochLost, Overtaken, ReadTooEarly
from gateway.state.cold.owner import NotOurs

log = structlog.get_logger()

EVERY = 1.0  # seconds: how long a flushed or replaced server stays without governance data, at most
LATE = 5.0  # seconds for which replicas may lack something before that is told
TRIES = 3  # of rows that were read before somebody wrote all of it anew
WRITTEN = 1000  # rows that are written at once


class Confirming:
    """Asks state once a second whether it still holds what was written. ``leads``: whether we fill it at once."""

    def __init__(
        self,
        database: Database,
        relay: OutboxRelay,
        projection: Projection,
        *,
        authority: Authority | None = None,
        leads: Callable[[], bool] = lambda: True,
        every: float = EVERY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.again = Count()  # how often what may have been lost was written again
        self._clock = clock
        self._confirmed = 0  # up to this act every replica had everything
        self._behind_since: float | None = None  # replicas have not confirmed since then
        self._leads = leads
        self._lost = False  # at the look before
        self._authority = authority or Authority()
        self._told = False  # that the database is behind
        self.failing = ""  # class of the last error; empty while state answers
        self.not_ours: NotOurs | None = None  # set while state belongs to another database
        self.rebuilds = 0
        self._database = database
        self._relay = relay
        self._projection = projection
        self._first = True
        self.rounds = Rounds("state.confirming", self.look, every)

    @property
    def note(self) -> str:
        """What readiness says beside."""
        if self._behind_since is None or self._clock() - self._behind_since < LATE:
            return ""
        seconds = self._clock() - self._behind_since
        return f"replicas of the state server have not confirmed what was written for {seconds:.0f} s"

    async def series(self) -> dict[str, Series]:
        """What control counts of this."""
        return {
            "tidegate_state_projected_again_total": {(): self.again.value},
            "tidegate_state_unreplicated_acts_total": {(): self._relay.unreplicated.value},
        }

    async def look(self) -> None:
        """Confirm once; rebuild where state was emptied, replaced, or started again."""
        first, self._first = self._first, False
        try:
            held = await self._projection.confirm()
            # Not the first time: what a new run of the server read back is good enough to begin serving with.
            other = held and not first and await self._projection.restarted()
            held = held and not other
            # State's numbers first: meanwhile other controls go on, and the database is never behind them.
            theirs, (_, act) = await self._projection.version(), await self._projection.numbers()
            ours, last = await self._database.read(lambda session: (newest(session), newest_act(session)))
            self._authority.state = older_than_state(ours, theirs)
            # Restored, and its acts brought back: they have other numbers now, and none of ours would seem newer.
            held = held and act <= last
            if self._authority.problem:
                if not self._told:
                    log.critical("state.database_behind", problem=self._authority.problem)
                self._told = True
            else:
                if other:
                    await self._write_again()
                if not held:
                    await self._fill()
            if held:
                self._lost = False
                await self._follow_replicas()
        except NotOurs as error:
            if self.not_ours is None:
                log.critical("state.not_ours", owner=str(error.owner))
            self.not_ours = error
            self.failing = type(error).__name__
        except DatabaseUnavailable as error:  # told by the database itself
            self.failing = type(error).__name__
        except Overtaken:
            log.info("state.overtaken")  # another control fills it
        except EpochLost:
            log.warning("state.emptied_while_filled")
            self.failing = EpochLost.__name__
        except Exception as error:  # of state, database or ourselves: it is told, and asked again in a second
            if not self.failing:  # once for each outage
                log.error("state.unconfirmed", exc_info=True)
            self.failing = type(error).__name__
        else:
            self.failing = ""
            self.not_ours = None

    async def _fill(self) -> None:
        if not self._leads() and not self._lost:
            self._lost = True  # the one that leads fills it; we do at the next look, if it did not
            return
        async with self._relay.paused():
            rebuilt = await rebuild(self._database, self._projection, self._relay.governance)
        self.rebuilds += 1
        log.warning("state.rebuilt", subjects=rebuilt.subjects, version=rebuilt.version)
        self._relay.kick()

    async def _write_again(self) -> None:
        """What was projected since every replica had everything. Harmless, whoever does the same."""
        read = partial(again, after=self._confirmed, governance=self._relay.governance)
        for _ in range(TRIES):
            acts, changes, snapshot = await self._database.read(read)
            try:
                for start in range(0, len(changes), WRITTEN):
                    await self._projection.apply(changes[start : start + WRITTEN])
                await self._projection.publish(snapshot)
            except ReadTooEarly:
                continue
            break
        self.again.value += 1
        log.warning("state.projected_again", acts=acts, subjects=len(changes))
        self._relay.kick()  # what waited for state waits no longer

    async def _follow_replicas(self) -> None:
        """How far they have everything. Where there is none, nothing is known of one that takes over."""
        upto = await self._database.read(partial(projected_up_to, after=self._confirmed))
        told = await self._projection.replicated(every=True)
        if told:
            self._confirmed = upto
        if told is not False:
            self._behind_since = None
        elif self._behind_since is None:
            self._behind_since = self._clock()
