"""Whether a server should get requests: failures in a row eject it for a growing pause, checks until it is well.

Passive health follows Envoy's outlier detection ("consecutive local origin failure"): only what the carrying itself
shows counts (refused, timed out, closed, garbage), not the status of an answer, because a client can provoke those.
"""

from __future__ import annotations

from gateway.http.upstream.settings import CheckSettings, EjectionSettings


class ServerHealth:
    """The health of one server. Times are those of the ``Sweep``, in seconds."""

    __slots__ = ("_bad", "_good", "checked_well", "ejected_until", "ejections", "failures")

    def __init__(self) -> None:
        self.failures = 0  # in a row
        self.ejections = 0  # the next pause is as many times longer
        self.ejected_until = 0.0
        self.checked_well = True  # what active checks say; well until they say otherwise
        self._good = 0
        self._bad = 0

    def usable(self, now: float) -> bool:
        """Neither pausing nor found ill."""
        return self.checked_well and now >= self.ejected_until

    def fail(self, now: float, settings: EjectionSettings, may_eject: bool) -> bool:
        """One more failure; True when it ejects the server.

        Each ``pause`` spent outside without a new ejection takes one step off the growth, so that a server that had a
        bad day does not pay for it a week later.
        """
        self.failures += 1
        if not settings.failures or self.failures < settings.failures or now < self.ejected_until or not may_eject:
            return False
        self.failures = 0
        calm = int((now - self.ejected_until) / settings.pause)
        self.ejections = max(0, self.ejections - calm) + 1
        self.ejected_until = now + min(settings.pause * self.ejections, settings.longest_pause)
        return True

    def checked(self, well: bool, settings: CheckSettings) -> bool:
        """The result of one active check; True when it changes what the server is held for."""
        if well:
            self._good, self._bad = self._good + 1, 0
            changed = not self.checked_well and self._good >= settings.healthy_after
        else:
            self._good, self._bad = 0, self._bad + 1
            changed = self.checked_well and self._bad >= settings.unhealthy_after
        if changed:
            self.checked_well = well
            self.failures = 0
            if well:
                self.ejected_until = 0.0
        return changed

    def unchecked(self) -> None:
        """Active checks were turned off: their last word no longer counts."""
        self.checked_well = True
        self._good = self._bad = 0


def may_eject_one_more(ejected: int, servers: int, share: float) -> bool:
    """At most ``share`` of the servers, one where the share rounds to none, but never all."""
    return ejected < min(max(1, int(servers * share)), servers - 1)
