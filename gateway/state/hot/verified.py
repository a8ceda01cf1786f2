"""Whom state said to be verified a short while ago: what bridges an answer of state that comes too late.

Only that somebody *is* verified is kept, because time changes it seldom and its absence is what refuses the honest. No
block, limit, closure or credit is: there it would be the absence that is kept, and absence is not innocence.
"""

from __future__ import annotations

from filters.model.verdict import Account


class Verified:
    """Senders by name, at most ``most`` of them, each for at most ``keep`` seconds since state last said so. 0 keeps
    nobody. It reads no clock: ``now`` is monotonic seconds of the caller's.

    Two halves instead of a time for each: what the younger one holds moves to the older one twice in ``keep``. Who
    stands in ``younger`` with this very account need not be noted again.
    """

    __slots__ = ("_ages", "_keep", "_most", "_older", "younger")

    def __init__(self, keep: float, most: int) -> None:
        self._keep = keep
        self._most = max(1, most // 2)
        self.younger: dict[str, Account] = {}
        self._older: dict[str, Account] = {}
        self._ages = (0.0, 0.0)  # when the older and the younger half began

    def turn(self, now: float) -> None:
        """Let go of what is too old; to be called before anything is noted or asked."""
        older, younger = self._ages
        if (now - younger) * 2 >= self._keep:
            self._older, self.younger = self.younger, {}
            self._ages = (younger, now)
            older = younger
        if now - older >= self._keep and self._older:
            self._older = {}

    def note(self, sender: str, account: Account | None) -> None:
        """State has said this of ``sender``; None where it knows nobody of that name."""
        if account is not None and account.verified:
            younger = self.younger
            if sender not in younger and len(younger) >= self._most:
                # The half's age stays what it is: nobody becomes younger by being moved.
                self._older = younger
                self._ages = self._ages[1], self._ages[1]
                younger = self.younger = {}
            younger[sender] = account
        elif sender in self.younger or sender in self._older:
            self.younger.pop(sender, None)
            self._older.pop(sender, None)

    def of(self, sender: str) -> Account | None:
        """What state last said of ``sender``, where that was that they are verified."""
        return self.younger.get(sender) or self._older.get(sender)
