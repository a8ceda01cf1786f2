"""How many questions a platform is asked: at once and in a time, in all and for one client address.

Two kinds. A *renewal* asks again about somebody whom the platform named before; there are no more of them than known
senders, and one flood of invented credentials must not keep them waiting. So what is *new* may use three quarters of
each bound, and is counted by address besides.
"""

from __future__ import annotations

from typing import Final

from gateway.common.units import Rate

ADDRESSES: Final = 8192
"""Addresses whose questions are counted; beyond, one that asks nothing now is forgotten."""


class QuestionAllowance:
    """A token bucket: ``quota`` at once, refilled over ``seconds``. Times: seconds on the caller's clock."""

    __slots__ = ("_at", "_quota", "_rate", "left")

    def __init__(self, rate: Rate, now: float) -> None:
        self._quota = float(rate.quota)
        self._rate = rate.quota / rate.seconds
        self.left = self._quota
        self._at = now

    def refill(self, now: float) -> None:
        """Count the time since it was last asked."""
        self.left = min(self._quota, self.left + (now - self._at) * self._rate)
        self._at = now


class AddressQuestions:
    """What one address asks. ``asking``: questions that have no answer."""

    __slots__ = ("allowance", "asking")

    def __init__(self, rate: Rate, now: float) -> None:
        self.asking = 0
        self.allowance = QuestionAllowance(rate, now)


class QuestionCaps:
    """``most`` and ``rate`` in all, ``most_address`` and ``rate_address`` of one address. ``asking``: of all."""

    __slots__ = (
        "_addresses", "_allowance", "_most", "_most_address", "_new", "_rate_address", "_spare", "asking", "new",
    )  # fmt: skip

    def __init__(self, most: int, rate: Rate, most_address: int, rate_address: Rate, now: float) -> None:
        self._most = most
        self._new = most - most // 4
        self._most_address = most_address
        self._rate_address = rate_address
        self._allowance = QuestionAllowance(rate, now)
        self._spare = float(rate.quota // 4)
        self._addresses: dict[str, AddressQuestions] = {}
        self.asking = 0
        self.new = 0

    def admits(self, address: str, now: float) -> bool:
        """Whether one more new question of this address may be asked, or wait to be; it counts from now on."""
        known = self._addresses.get(address)
        if known is None:
            if len(self._addresses) >= ADDRESSES:
                self._forget()
            known = self._addresses[address] = AddressQuestions(self._rate_address, now)
        known.allowance.refill(now)
        if known.asking >= self._most_address or known.allowance.left < 1.0:
            return False
        known.asking += 1
        known.allowance.left -= 1.0
        return True

    def begin(self, renewal: bool, now: float) -> bool:
        """Whether there is room to ask now; then it is asked."""
        allowance = self._allowance
        allowance.refill(now)
        if renewal:
            if self.asking >= self._most or allowance.left < 1.0:
                return False
        else:
            if self.new >= self._new or self.asking >= self._most or allowance.left < 1.0 + self._spare:
                return False
            self.new += 1
        self.asking += 1
        allowance.left -= 1.0
        return True

    def end(self, renewal: bool) -> None:
        """A question that was asked is over."""
        self.asking -= 1
        if not renewal:
            self.new -= 1

    def leave(self, address: str) -> None:
        """A new question of this address is over, whether it was asked or not."""
        known = self._addresses.get(address)
        if known is not None and known.asking:
            known.asking -= 1

    def _forget(self) -> None:
        """Make room: of those that ask nothing, the one that began first. What waits is bounded, so there is one."""
        for address, known in self._addresses.items():
            if not known.asking:
                del self._addresses[address]
                return
