"""Keeps state's image of governance true: looks whose it is, and rebuilds it where state has lost it.

A state that is newer than the database is not touched: the database lacks what was done since (``Authority``).
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from gateway.common.rounds import Rounds
from gateway.control.acts.authority import Authority, older_than_state
from gateway.control.acts.database import Database
from gateway.control.acts.neighbours import Projection
from gateway.control.acts.outbox import OutboxRelay
from gateway.control.acts.refusal import DatabaseUnavailable
from gateway.control.acts.rows import newest_act
from gateway.control.node.state_rebuild import newest, rebuild
from gateway.state.cold.governance_projection import EpochLost, Overtaken
from gateway.state.cold.owner import NotOurs

log = structlog.get_logger()

EVERY = 1.0  # seconds: how long a flushed or replaced server stays without governance data, at most


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
    ) -> None:
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

    async def look(self) -> None:
        """Confirm once; rebuild where state was emptied, replaced, or started again."""
        first, self._first = self._first, False
        try:
            held = await self._projection.confirm()
            # Not the first time: what a new run of the server read back is good enough to begin serving with.
            if held and not first:
                held = not await self._projection.restarted()
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
            elif not held and not self._leads() and not self._lost:
                self._lost = True  # the one that leads fills it; we do at the next look, if it did not
            elif not held:
                async with self._relay.paused():
                    rebuilt = await rebuild(self._database, self._projection, self._relay.governance)
                self.rebuilds += 1
                log.warning("state.rebuilt", subjects=rebuilt.subjects, version=rebuilt.version)
                self._relay.kick()
            if held:
                self._lost = False
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
