"""One platform's word on who sends: remembered, or asked for.

    told       a look-up: somebody, nobody, or that the platform has to be asked         per message, no I/O
      ▼
    ask        one question a credential; who comes meanwhile waits for the same answer
      ▼
    caps       what has no room waits its turn, until its deadline
      ▼
    settle     remembered, unless a log-out was seen meanwhile; everybody who waits is told

A platform that does not answer costs what ``on_error`` says. Where ``bridge`` allows it, somebody whom it named before
is taken for themselves meanwhile, and the record says so; the platform is asked again behind their messages. A bridge
holds only while every log-out since the platform named them was heard of: ``heard`` knows.

There is no future, task or timer: who waits is an object with ``on_told``, and the sweep looks for deadlines.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Mapping, Set
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Final, Protocol

from filters.model.remembered import Remembered
from gateway.http.wire.path import parse_template
from gateway.senders.credentials import NamedCredentials, parts
from gateway.senders.known_senders import KnownSender, KnownSenders
from gateway.senders.question import IdReader, SenderQuestion
from gateway.senders.question_caps import QuestionCaps
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.input.request import Told

if TYPE_CHECKING:
    from gateway.common.metrics import SenderCounts
    from gateway.http.upstream.upstream import Upstream
    from gateway.senders.settings import WhoamiSettings

NOBODY: Final = Told()
PENDING: Final = Told(pending=True)
UNAVAILABLE: Final = Told(reason="sender.unavailable")
AGAIN: Final = 1.0
"""Seconds between two questions about somebody for whom a bridge holds."""
MAX_ENDED: Final = 65_536
"""NamedCredentials of which it is remembered that they were just logged out; beyond, no answer under way is kept."""


HEADERS: Final = 8192
"""Whole headers of which it is remembered whom they are from: by Python's own hash, so that none of them is kept. It is
SipHash with 64 bits and a key of this process, unless somebody has set PYTHONHASHSEED."""
KEYED_HASHES: Final = (
    sys.flags.hash_randomization == 1
    and os.environ.get("PYTHONHASHSEED", "random") == "random"
    and sys.hash_info.algorithm.startswith("siphash")
    and sys.hash_info.hash_bits == 64
)


class SenderWaiting(Protocol):
    """Who waits for the platform's word."""

    def on_told(self, told: Told) -> None:
        """Called once; ``told`` is not pending."""


class Asking:
    """One question: it waits for room, or for its answer. ``began``: seconds on the clock."""

    __slots__ = ("address", "asked", "began", "head", "key", "over", "question", "renewal", "waiting")

    def __init__(self, key: bytes, head: bytes, address: str, renewal: bool, began: float) -> None:
        self.key = key
        self.head = head
        self.address = address
        self.renewal = renewal
        self.began = began
        self.waiting: list[SenderWaiting] = []
        self.question: SenderQuestion | None = None
        self.asked = False
        self.over = False


class Whoami:
    """Who holds which credentials of one platform. ``host``: of the question, never the sender's word. ``salt``: keys
    digests. ``heard(since)``: whether every log-out since then, in seconds on ``clock``, was heard of."""

    __slots__ = (
        "_asking", "_bridged", "_caps", "_clock", "_counts", "_credentials", "_ended", "_ended_all", "_failed_told",
        "_field", "_heard", "_hits", "_host", "_line", "_met", "_misses", "_new", "_read", "_renewals", "_waiting",
        "senders", "settings", "upstream",
    )  # fmt: skip

    def __init__(
        self,
        settings: WhoamiSettings,
        upstream: Upstream,
        host: bytes,
        salt: bytes,
        counts: SenderCounts,
        heard: Callable[[float], bool],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        template = parse_template(settings.ask)
        self.settings = settings
        self.upstream = upstream
        self._host = host
        path = b"/" + b"/".join(segment for segment in template.segments if segment is not None)
        self._line = b"%b %b HTTP/1.1\r\n" % (template.methods[0], path)
        self._credentials = NamedCredentials(settings.credentials, salt, settings.max_credential)
        self._field = self._credentials.field if KEYED_HASHES else b""
        self._met: Remembered[int, KnownSender] = Remembered(HEADERS)
        self._read = IdReader(settings.id)
        self._counts = counts
        self._hits = counts.answers.of(("known",))
        self._misses = counts.answers.of(("unknown",))
        self._bridged = counts.answers.of(("bridged",))
        self._heard = heard
        self._clock = clock
        self.senders = KnownSenders(settings.max_known, settings.max_unknown, counts.evicted)
        self._caps = QuestionCaps(
            settings.max_asking, settings.max_asked, settings.max_asking_address, settings.max_asked_address, clock()
        )
        self._asking: dict[bytes, Asking] = {}  # in the order of their deadlines
        self._renewals: deque[Asking] = deque()
        self._new: deque[Asking] = deque()
        self._waiting = 0
        self._ended: dict[bytes, float] = {}  # digests of what was just logged out, and when
        self._ended_all = -1.0  # when everything was, or what is the same, too much to remember
        self._failed_told: dict[str, Told] = {}

    # a look-up

    def key(self, fields: Mapping[bytes, bytes], repeated: Set[bytes]) -> bytes:
        """What stands for a request's credentials; empty where there are none. ``Refused``."""
        return self._credentials.key(fields, repeated)

    def told(self, key: bytes) -> Told:
        """What is known of whoever has these credentials."""
        if not key:
            return NOBODY
        now = self._clock()
        entry = self.senders.known.get(key)
        if entry is not None:
            if now < entry.until:
                entry.used = True
                self._hits.value += 1
                return entry.told
            if entry.bridging and self._bridges(entry, now):
                self._bridged.value += 1
                return entry.bridged
            return PENDING
        until = self.senders.unknown.get(key)
        if until is not None and now < until:
            self._misses.value += 1
            return NOBODY
        return PENDING

    def look(self, fields: Mapping[bytes, bytes], repeated: Set[bytes]) -> Told:
        """The same, of a request. Of a header that was read before, everything is a look-up."""
        value = fields.get(self._field)
        if value is not None and not repeated:
            entry = self._met.known.get(hash(value))
            if entry is not None and self._clock() < entry.until:
                entry.used = True
                self._hits.value += 1
                return entry.told
        return self._look(value, fields, repeated)

    def _look(self, value: bytes | None, fields: Mapping[bytes, bytes], repeated: Set[bytes]) -> Told:
        """``value``: of the field, where there is one that holds all credentials."""
        try:
            key = self._credentials.key(fields, repeated)
        except Refused as refused:
            return Told(reason=refused.reason)
        told = self.told(key)
        if value is not None and not repeated:
            entry = self.senders.known.get(key)
            if entry is not None and told is entry.told:
                self._met.put(hash(value), entry)
        return told

    # questions

    def ask(
        self, fields: Mapping[bytes, bytes], repeated: Set[bytes], address: str, waiting: SenderWaiting | None
    ) -> None:
        """Have ``waiting`` told, at once where nothing has to be asked. ``address``: of the client, as it is counted.
        None: somebody for whom a bridge holds is asked about, and nobody waits."""
        try:
            key = self._credentials.key(fields, repeated)
            told = self.told(key) if waiting is not None else PENDING
            asking = self._asking.get(key)
            entry = self.senders.known.get(key)
            now = self._clock()
            if waiting is None:
                if asking is not None or entry is None or now < entry.asked_again or self._crowded:
                    return
                entry.asked_again = now + AGAIN
            if told.pending and asking is None:
                lines = self._credentials.lines(fields, repeated)
                if waiting is not None:
                    told = self._room(entry, key, address, now)
                if told.pending:
                    asking = self._begin(key, lines, "" if entry is not None else address, entry is not None, now)
            elif told.pending and self._crowded:
                told = self._put_off(key, "waiting", now)
        except Refused as refused:
            told = Told(reason=refused.reason)
        if waiting is None:
            self._pump(self._clock())
        elif told.pending:
            assert asking is not None
            asking.waiting.append(waiting)
            self._waiting += 1
            self._pump(self._clock())
        else:
            waiting.on_told(told)

    @property
    def _crowded(self) -> bool:
        """Whether nobody more may wait."""
        most = self.settings.max_waiting
        return self._waiting >= most or len(self._asking) >= most

    def _room(self, entry: KnownSender | None, key: bytes, address: str, now: float) -> Told:
        """PENDING where one question more may wait to be asked."""
        if self._crowded:
            return self._put_off(key, "waiting", now)
        if entry is None and not self._caps.admits(address, now):
            return self._put_off(key, "address", now)
        return PENDING

    def _put_off(self, key: bytes, cap: str, now: float) -> Told:
        self._counts.put_off.add((cap,))
        return self._failed(key, "busy", now)

    def _begin(self, key: bytes, lines: list[bytes], address: str, renewal: bool, now: float) -> Asking:
        head = self._line + b"\r\n".join((b"Host: " + self._host, b"Accept: */*", *lines)) + b"\r\n\r\n"
        asking = self._asking[key] = Asking(key, head, address, renewal, now)
        (self._renewals if renewal else self._new).append(asking)
        return asking

    def _pump(self, now: float) -> None:
        """Ask what has room now. What is overdue is not asked any more; ``look_after`` tells who waits for it."""
        deadline = now - self.settings.deadline
        for queue in (self._renewals, self._new):
            while queue:
                asking = queue[0]
                if asking.over or asking.began <= deadline:
                    queue.popleft()
                    continue
                if not self._caps.begin(asking.renewal, now):
                    break
                queue.popleft()
                asking.asked = True
                question = asking.question = SenderQuestion(
                    self._read, self.settings.max_answer, partial(self._settle, asking)
                )
                question.ask(self.upstream, asking.head)

    def _settle(self, asking: Asking, sender: str, cause: str) -> None:
        """The platform has spoken, or has not."""
        if asking.over:
            return
        asking.over = True
        key = asking.key
        del self._asking[key]
        if asking.asked:
            self._caps.end(asking.renewal)
        if not asking.renewal:
            self._caps.leave(asking.address)
        now = self._clock()
        self._counts.questions.add((cause or ("known" if sender else "unknown"),))
        if cause:
            told = self._failed(key, cause, now)
        else:
            told = Told(sender) if sender else NOBODY
            by = self._credentials.of_sender(sender) if sender else b""
            if self._ended_since(key, asking.began) or (by and self._ended_since(by, asking.began)):
                self.senders.forget(key)
            elif sender:
                self.senders.name(key, KnownSender(sender, by, asking.began, asking.began + self.settings.cache))
            elif self.settings.cache_unknown:
                self.senders.deny(key, now + self.settings.cache_unknown)
            else:
                self.senders.forget(key)
        waiting, asking.waiting = asking.waiting, []
        self._waiting -= len(waiting)
        for one in waiting:
            one.on_told(told)
        self._pump(now)

    def _failed(self, key: bytes, cause: str, now: float) -> Told:
        """What a failure means: a bridge, or what ``on_error`` says."""
        entry = self.senders.known.get(key)
        if entry is not None and self._bridges(entry, now):
            entry.bridging = True
            entry.asked_again = now + AGAIN
            self._bridged.value += 1
            return entry.bridged
        if self.settings.on_error == "reject":
            return UNAVAILABLE
        told = self._failed_told.get(cause)
        if told is None:
            told = self._failed_told[cause] = Told(degraded=f"sender:{cause}")
        return told

    def _bridges(self, entry: KnownSender, now: float) -> bool:
        return now < entry.until + self.settings.bridge and self._heard(entry.asked_at)

    # log-outs, and time

    def digests(self, fields: Mapping[bytes, bytes], repeated: Set[bytes]) -> list[bytes]:
        """Of all credentials that a log-out presents."""
        return self._credentials.digests(fields, repeated)

    def end(self, digest: bytes) -> list[bytes]:
        """Whoever has this credential is asked for anew, and so is whatever else is known of the same person; an answer
        under way is not kept. The digests of those names: to other workers they may be known by other credentials."""
        names = self.senders.end(digest)
        if self._asking:
            ended = self._ended
            if len(ended) >= MAX_ENDED:
                ended.clear()
                self._ended_all = self._clock()
            for one in (digest, *names):
                ended.pop(one, None)  # in the order of time
                ended[one] = self._clock()
        return names

    def end_all(self) -> None:
        """Log-outs may have been missed."""
        self.senders.clear()
        self._ended_all = self._clock()

    def _ended_since(self, key: bytes, began: float) -> bool:
        if self._ended_all >= began:
            return True
        ended = self._ended
        return bool(ended) and any(ended.get(part, -1.0) >= began for part in parts(key))

    def look_after(self) -> None:
        """Some times a second: what has waited too long is given up, what has room now is asked."""
        now = self._clock()
        deadline = now - self.settings.deadline
        overdue = []
        for asking in self._asking.values():
            if asking.began > deadline:
                break
            overdue.append(asking)
        for asking in overdue:
            if asking.question is not None:
                asking.question.give_up()
            self._settle(asking, "", "deadline" if asking.asked else "busy")
        ended = self._ended
        while ended:
            digest = next(iter(ended))
            if ended[digest] > deadline:
                break
            del ended[digest]
        self._pump(now)

    @property
    def resting(self) -> bool:
        """Whether nothing is asked."""
        return not self._asking

    @property
    def asking(self) -> int:
        """Questions under way."""
        return self._caps.asking
