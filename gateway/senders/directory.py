"""All platforms that are asked who sends, of one worker: kept over reloads, and what log-outs mean for them.

Routes that ask the same platform the same share what it said. A log-out is seen by the worker that relays it and told
to all others (``LogOutFeed``): once when its request comes, so that nobody is taken for themselves any more, and once
when its answer is over, because the platform may have been asked in between and not have known yet.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import structlog

from gateway.http.server.router import Router
from gateway.http.wire.errors import HTTPError
from gateway.http.wire.path import parse_template
from gateway.senders.whoami import Whoami

if TYPE_CHECKING:
    from gateway.common.metrics import AnswerCounts, SenderCounts
    from gateway.http.server.exchange import Exchange
    from gateway.http.upstream.failure import UpstreamError
    from gateway.http.upstream.upstream import Upstream
    from gateway.senders.settings import WhoamiSettings

log = structlog.get_logger()

FAILURES: Final = ("status", "garbage", "unreachable", "deadline")
TOLD_EVERY: Final = 10.0
"""Seconds between two lines of the log on questions that failed."""


class PlatformAsked(NamedTuple):
    """What makes two routes' platforms one."""

    settings: WhoamiSettings
    upstream: Upstream
    host: bytes


class LogOutsTold(Protocol):
    """What tells other workers of log-outs, and hears of theirs."""

    def tell(self, digests: Iterable[bytes]) -> None: ...

    def heard(self, since: float) -> bool: ...


class Deaf:
    """Where nothing is heard of other workers."""

    def tell(self, digests: Iterable[bytes]) -> None:
        """Nobody to tell."""

    def heard(self, since: float) -> bool:
        return False


class LogOuts(NamedTuple):
    """Platforms whose credentials end with requests to one address."""

    platforms: tuple[Whoami, ...]


class SenderDirectory:
    """``feed`` is set once there is one; until then no bridge holds."""

    def __init__(self, salt: bytes, counts: SenderCounts, clock: Callable[[], float] = time.monotonic) -> None:
        self.feed: LogOutsTold = Deaf()
        self.log_outs: Router[LogOuts] | None = None
        self._salt = salt
        self._counts = counts
        self._clock = clock
        self._platforms: dict[PlatformAsked, Whoami] = {}
        self._leaving: list[Whoami] = []
        self._told_at = 0.0
        self._failed = 0

    def build(self, wanted: Mapping[str, PlatformAsked]) -> dict[PlatformAsked, Whoami]:
        """What a generation asks: as it is where it is asked already, so that everybody known stays known."""
        return {
            asked: self._platforms.get(asked) or Whoami(*asked, self._salt, self._counts, self._heard, self._clock)
            for asked in dict.fromkeys(wanted.values())
        }

    def _heard(self, since: float) -> bool:
        return self.feed.heard(since)

    def swap(self, platforms: dict[PlatformAsked, Whoami]) -> None:
        """From now on these are asked; what others were asked before is still told to who waits."""
        kept = set(platforms.values())
        self._leaving = [one for one in (*self._leaving, *self._platforms.values()) if one not in kept]
        self._platforms = platforms
        ending: dict[str, list[Whoami]] = {}
        for asked, platform in platforms.items():
            for match in asked.settings.logout:
                ending.setdefault(match, []).append(platform)
        self.log_outs = (
            Router([(parse_template(match), LogOuts(tuple(those))) for match, those in ending.items()])
            if ending
            else None
        )

    @property
    def hears(self) -> bool:
        """Whether anything here ends with a log-out."""
        return self.log_outs is not None

    def look(self, now: float) -> None:
        """Called at each tick of the sweep."""
        for platform in self._platforms.values():
            platform.look_after()
        if self._leaving:
            for platform in self._leaving:
                platform.look_after()
            self._leaving = [platform for platform in self._leaving if not platform.resting]
        self._tell_failures()

    def asking(self) -> int:
        """Questions under way."""
        return sum(platform.asking for platform in (*self._platforms.values(), *self._leaving))

    def known(self) -> int:
        """Senders that are remembered."""
        return sum(len(platform.senders.known) for platform in self._platforms.values())

    # log-outs

    def watched(self, exchange: Exchange, answers: AnswerCounts | None) -> bool:
        """Whether a request that is about to be relayed logs somebody out; then whoever that is, is forgotten now and
        once more behind the answer."""
        router = self.log_outs
        if router is None:
            return False
        head = exchange.head
        try:
            found = router.find(head.method, head.host, head.target).route
            platforms: Iterable[Whoami] = found.platforms if found is not None else ()
        except HTTPError:  # some platform may take it for one of these
            platforms = self._platforms.values()
        digests = [one for platform in platforms for one in platform.digests(head.fields, head.repeated)]
        if not digests:
            return False
        exchange.user = RelayedLogOut(self, tuple(dict.fromkeys(digests)), answers)
        return True

    def logged_out(self, digests: Iterable[bytes]) -> None:
        """By a request that this worker relays: others are told."""
        self._counts.log_outs.add(("seen",))
        self.ended(digests)

    def ended(self, digests: Iterable[bytes]) -> None:
        """Here, and everywhere."""
        self.feed.tell([*digests, *self._end(digests)])

    def heard(self, digests: Iterable[bytes]) -> None:
        """By a request that some worker relays; it may have been this one. Who was known here by these credentials may
        be known elsewhere by others: then their name is told as well."""
        for _ in digests:
            self._counts.log_outs.add(("heard",))
        names = self._end(digests)
        if names:
            self.feed.tell(names)

    def _end(self, digests: Iterable[bytes]) -> list[bytes]:
        platforms = self._platforms.values()
        return [name for digest in digests for platform in platforms for name in platform.end(digest)]

    def missed(self) -> None:
        """Log-outs may not have been heard of: everybody is asked for anew."""
        self._counts.log_outs.add(("missed",))
        for platform in self._platforms.values():
            platform.end_all()

    def _tell_failures(self) -> None:
        now = self._clock()
        if now < self._told_at + TOLD_EVERY:
            return
        values = self._counts.questions.values
        failed = sum(values.get((cause,), 0) for cause in FAILURES)
        if failed > self._failed:
            log.warning(
                "whoami.failed", count=failed - self._failed, causes={c: values[c,] for c in FAILURES if (c,) in values}
            )
            self._failed = failed
            self._told_at = now


class RelayedLogOut:
    """One log-out under way. ``answers`` counts what came of its request."""

    __slots__ = ("_answers", "_digests", "_directory")

    def __init__(self, directory: SenderDirectory, digests: tuple[bytes, ...], answers: AnswerCounts | None) -> None:
        self._directory = directory
        self._digests = digests
        self._answers = answers
        directory.logged_out(digests)

    def on_outcome(self, status: int | None, body_prefix: bytes, error: UpstreamError | None) -> None:
        """The answer is over, whatever it was: the platform may have acted."""
        if self._answers is not None:
            self._answers.count(502 if status is None and error is not None else status)
        self._directory.ended(self._digests)
