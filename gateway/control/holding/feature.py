"""Held messages, as control knows them: taken over from the spools, counted for the workers, ended by time."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.config import Config
from gateway.control.acts.governance import Table
from gateway.control.calls.feature import Feature, Surroundings
from gateway.control.holding import held_pruning, tickets
from gateway.control.holding.adoption import Adoption
from gateway.control.holding.approvals import Approvals
from gateway.control.holding.expiry import Expiry
from gateway.control.holding.rows import Held, HeldEvent, Release, Ticket
from gateway.control.holding.seals import seals
from gateway.control.holding.sender_told import SenderTold
from gateway.control.holding.ticket_use import TicketUse
from gateway.control.holding.waiting_told import WaitingTold
from gateway.surfaces import MIRRORED


def opened(surroundings: Surroundings) -> Sequence[object]:
    """Everything that runs by itself; where nothing can be held it finds nothing to do."""
    folders, ledger = surroundings.folders, surroundings.ledger
    journal = folders.journal(surroundings.config)

    def config() -> Config:
        return surroundings.current().config

    return (
        Adoption(ledger.database, folders.park, journal, seals(config), lambda surface: expires(config(), surface)),
        WaitingTold(ledger.database, ledger.workers),
        Expiry(ledger, surroundings.trusted_ns),
        SenderTold(ledger.database, journal),
        Approvals(ledger, config),
        TicketUse(ledger, journal, folders.control / "tickets.json"),
    )


def expires(config: Config, surface: str) -> float:
    """Seconds that a message of a surface may wait. A live bullet is soon understood by nobody any more."""
    review = config.review
    assert review is not None, "nothing is taken over without its seal"
    return review.expires_live if surface in MIRRORED else review.expires


HOLDING = Feature(
    endpoints=(),
    tables=(Table(Ticket, frozenset(), undo="never", snapshot=tickets.snapshot, prune=tickets.prune),),
    rows=(Held, HeldEvent, Release),
    opened=opened,
    ended={"held": held_pruning.prune},
)
