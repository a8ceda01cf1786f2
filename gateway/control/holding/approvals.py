"""What was approved of a sender: each message that a person let through and the platform took counts once, in the
account that the check ``newcomer`` asks.

Discourse counts a newcomer's posts, Coral those that were approved. Here it is the latter: what the lists let pass
tells of the lists. An edit does not count, nor what a person had to change before it could appear.

A message that was delivered is due (``held.move``) until it is counted, which an act of ours does: it is recorded,
projected, undone like any other. Nothing is counted while no route asks for it; what was delivered meanwhile, and is
still kept, counts once one does. Nobody's account is made for an address that writes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from filters.model.credit import MOST_APPROVED
from gateway.common.rounds import Rounds
from gateway.config import Config
from gateway.control.accounts.rows import Account
from gateway.control.acts.acts import SYSTEM, Unit
from gateway.control.acts.ledger import Ledger
from gateway.control.acts.refusal import ControlError
from gateway.control.holding import held_states
from gateway.control.holding.rows import Held

CHECK: Final = "newcomer"
EVERY: Final = 1.0  # seconds between two looks
AT_ONCE: Final = 200  # messages of one act


class Approvals:
    """``config``: as it is in force."""

    def __init__(self, ledger: Ledger, config: Callable[[], Config]) -> None:
        self._ledger = ledger
        self._config = config
        self.rounds = Rounds("holding.approvals", self.look, EVERY)

    def start(self) -> None:
        self.rounds.start()

    async def stop(self) -> None:
        await self.rounds.stop()

    async def look(self) -> None:
        """Count what was delivered since."""
        if not self._ledger.leads() or not asked(self._config()):
            return
        try:
            while due := await self._ledger.database.read(_due):
                await self._ledger.act(
                    SYSTEM, "a person approved them", "account.approved", f"messages:{len(due)}",
                    partial(_count, due=due), settle=False,
                )  # fmt: skip
        except ControlError:  # no database, or one that lacks acts, which it tells itself; looked at again
            return


def asked(config: Config) -> bool:
    """Whether a policy asks how many were approved."""
    return any(rule.check == CHECK for policy in config.policies.values() for rule in policy.rules)


def _due(session: Session) -> list[str]:
    wanted = select(Held.message_id).where(Held.state == held_states.DELIVERED, Held.due_at > 0)
    return list(session.scalars(wanted.order_by(Held.due_at, Held.message_id).limit(AT_ONCE)))


def _count(unit: Unit, due: list[str]) -> None:
    rows = unit.session.scalars(select(Held).where(Held.message_id.in_(due), Held.due_at > 0)).all()
    approved = Counter(row.sender for row in rows)
    for row in rows:
        row.due_at = 0
    known = {row.sender: row for row in unit.session.scalars(select(Account).where(Account.sender.in_(approved)))}
    for sender, count in approved.items():
        account = known.get(sender)
        if account is None:  # the platform has told of nobody by this name
            unit.add(Account(sender=sender, verified=False, approved=min(count, MOST_APPROVED)))
        elif account.approved < MOST_APPROVED:
            unit.change(account, approved=min(account.approved + count, MOST_APPROVED))
