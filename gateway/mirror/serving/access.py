"""Who may read a room's static version: whoever may read the room. The platform is asked, with the reader's cookies.

A route's ``access`` is the platform's address that answers 2xx to who may; 3xx (a login page), 401, 403, 404 and 410
mean no; anything else means that nobody knows, and then nothing is shown (law 3). Answers are remembered for
``access_cache``.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Final, Literal, NamedTuple
from urllib.parse import quote

from gateway.http.upstream.short_answer import ShortAnswer
from gateway.mirror.store.guarding import asked

if TYPE_CHECKING:
    from gateway.http.upstream.failure import UpstreamError
    from gateway.http.upstream.upstream import Upstream
    from gateway.http.wire.head import ResponseHead
    from gateway.http.wire.path import Template

Permission = Literal["allowed", "denied", "unknown"]
Then = Callable[[Permission], object]

MAX_REMEMBERED: Final = 20_000
MAX_WAITING: Final = 1_000
MAX_BODY: Final = 65_536  # bytes of an answer
DENIED: Final = frozenset((301, 302, 303, 307, 308, 401, 403, 404, 410))
ASKED_WITH: Final = ((b"cookie", b"Cookie"), (b"authorization", b"Authorization"))


class Guard(NamedTuple):
    """A route's ``access``: whom to ask and how. ``host``: of the site that has the rooms, never the reader's word: who
    reads could name another site of the same platform, where a room of this name is open to everybody."""

    route: str
    upstream: Upstream
    template: Template
    host: bytes


class Question(NamedTuple):
    """What has to be allowed before a room is shown: every one of ``guards``."""

    room: str
    guards: tuple[Guard, ...]


class Access:
    """``guards``: of the danmaku routes with ``access``; ``known``: names of all danmaku routes. ``remember``: seconds.

    Made anew with each generation.
    """

    def __init__(
        self,
        guards: Collection[Guard],
        known: Collection[str],
        remember: float,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._guards = tuple(guards)
        self._routes = frozenset(guard.route for guard in guards)
        self._known = frozenset(known)
        self._remember = remember
        self._clock = clock
        self._remembered: OrderedDict[bytes, tuple[float, Permission]] = OrderedDict()
        self._asking: dict[bytes, _Asking] = {}

    def question(self, room: str, routes: frozenset[str]) -> Question | None:
        """What to ask for a room that ``routes`` feed; None where everybody may read it.

        Where that is not known (no bullets yet, a route that was renamed), every guard is asked.
        """
        asked_of = asked(routes, self._routes, self._known)
        guards = tuple(guard for guard in self._guards if guard.route in asked_of)
        return Question(room, guards) if guards else None

    def ask(self, question: Question, fields: Mapping[bytes, bytes], then: Then) -> None:
        """Ask each guard in turn, until one does not allow. ``then`` is called once, at once where it is known."""
        _Round(self, question, fields, then).go_on()

    def ask_one(self, guard: Guard, room: str, fields: Mapping[bytes, bytes], then: Then) -> None:
        """Ask one guard, or remember what it said to this reader."""
        key = _key(guard, room, fields)
        now = self._clock()
        known = self._remembered.get(key)
        if known is not None and known[0] > now:
            self._remembered.move_to_end(key)
            then(known[1])
            return
        asking = self._asking.get(key)
        if asking is not None:
            asking.add(then)
        elif len(self._asking) >= MAX_WAITING:
            then("unknown")
        else:
            asking = self._asking[key] = _Asking(self, key, then)
            asking.ask(guard.upstream, _head(guard, room, fields))

    def answered(self, key: bytes, permission: Permission) -> None:
        """The platform has spoken; what nobody knows is not remembered."""
        del self._asking[key]
        self._remembered.pop(key, None)
        if permission != "unknown" and self._remember:
            self._remembered[key] = (self._clock() + self._remember, permission)
            if len(self._remembered) > MAX_REMEMBERED:
                self._remembered.popitem(last=False)


class _Round:
    """One question on its way through its guards."""

    __slots__ = ("_access", "_at", "_fields", "_question", "_then")

    def __init__(self, access: Access, question: Question, fields: Mapping[bytes, bytes], then: Then) -> None:
        self._access = access
        self._question = question
        self._fields = fields
        self._then = then
        self._at = 0

    def go_on(self, permission: Permission = "allowed") -> None:
        if permission != "allowed" or self._at == len(self._question.guards):
            self._then(permission)
            return
        guard = self._question.guards[self._at]
        self._at += 1
        self._access.ask_one(guard, self._question.room, self._fields, self.go_on)


class _Asking(ShortAnswer):
    """One request to the platform, and everybody who waits for its answer. The status decides; the body is not waited
    for."""

    __slots__ = ("_access", "_key", "_waiting")

    def __init__(self, access: Access, key: bytes, then: Then) -> None:
        super().__init__(MAX_BODY)
        self._access = access
        self._key = key
        self._waiting: list[Then] = [then]

    def add(self, then: Then) -> None:
        self._waiting.append(then)

    def on_head(self, head: ResponseHead, more: bool) -> None:
        """Told as soon as it is known."""
        status = head.status
        self._done("allowed" if 200 <= status < 300 else "denied" if status in DENIED else "unknown")

    def on_error(self, error: UpstreamError) -> None:
        """No answer."""
        self._done("unknown")

    def _done(self, permission: Permission) -> None:
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        self._access.answered(self._key, permission)
        for then in waiting:
            then(permission)


def _key(guard: Guard, room: str, fields: Mapping[bytes, bytes]) -> bytes:
    """All that the answer hangs on: whom is asked, and the question; a digest, so that no credentials are kept."""
    parts = [guard.route.encode(), _head(guard, room, fields)]
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.digest()


def _head(guard: Guard, room: str, fields: Mapping[bytes, bytes]) -> bytes:
    template = guard.template
    segment = quote(room, safe="").encode("ascii")
    path = b"/" + b"/".join(segment if part is None else part for part in template.segments)
    lines = [b"%b %b HTTP/1.1" % (template.methods[0], path), b"Host: " + guard.host, b"Accept: */*"]
    lines += [b"%b: %b" % (spelled, fields[name]) for name, spelled in ASKED_WITH if name in fields]
    return b"\r\n".join(lines) + b"\r\n\r\n"
