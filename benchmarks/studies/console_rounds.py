"""A round over every page of the console, as somebody of one role goes it: each page that the role may visit is asked,
with what a person would fill in, and what is decided, blocked or frozen is really so.

A page of the table that no round asks is an error (``tests/benchmarks/studies/test_console.py``).
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import aiohttp

from benchmarks.studies.console_node import GROUNDS, INCIDENTS, PASSWORD, Filled
from gateway.control.access.roles import Principal, Role, refused
from gateway.control.console.console_pages import PAGES
from gateway.control.features import ENDPOINTS
from rig.process import cpu_seconds

ACCESS: Final = {f"{one.method} {one.path}": one.access for one in ENDPOINTS}
NEEDS: Final = {f"{page.method} {page.path}": ACCESS[page.needs] for page in PAGES}
WHY: Final = "measured"
RARE: Final = "\u5f00\u53d1\u7968"  # in no text


class Seen(NamedTuple):
    """An answer. ``to``: where it leads."""

    status: int
    to: str
    text: str

    def field(self, name: str) -> str:
        """The value of a hidden field."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        return found[1] if found else ""

    def all(self, pattern: str) -> list[str]:
        return re.findall(pattern, self.text)

    @property
    def case(self) -> int:
        """Of the address it leads to."""
        found = re.match(r"/console/review/(\d+)", self.to)
        return int(found[1]) if found else 0


class Refused(Exception):
    """A page said something else than was expected."""


class Visitor:
    """Somebody of one role, logged in. ``times``: seconds by page (``GET /review/{id}``) and question; ``used``: of the
    processors by ``pids`` meanwhile, whatever else the machine does."""

    def __init__(
        self, base: str, name: str, role: Role, times: dict[str, list[float]], pids: Sequence[int] = ()
    ) -> None:
        self.name = name
        self.role = role
        self.times = times
        self.used: dict[str, list[float]] = {}
        self._pids = pids
        self._base = f"{base}/console"
        jar = aiohttp.CookieJar(unsafe=True)
        self._session = aiohttp.ClientSession(cookie_jar=jar, headers={"Accept-Language": "zh"})
        self._csrf = ""

    async def close(self) -> None:
        await self._session.close()

    async def log_in(self) -> None:
        await self.ask("POST", "/login", "LOGIN", {"name": self.name, "password": PASSWORD})
        await self.again()

    async def again(self) -> None:
        """In the session that the cookie has by now."""
        self._csrf = (await self.ask("GET", "/own", "")).field("csrf")

    def may(self, page: str) -> bool:
        return refused(NEEDS[page], Principal(self.name, frozenset({self.role}))) is None

    async def __call__(
        self, page: str, form: Mapping[str, Any] | None = None, *, what: str = "", timed: bool = True, **places: object
    ) -> Seen:
        """A page of the table, with its placeholders; for a GET ``form`` is the query. Raises ``Refused``."""
        method, path = page.split(" ")
        for name, value in places.items():
            path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
        return await self.ask(method, path, (f"{page} {what}".strip()) if timed else "", form or {})

    async def ask(self, method: str, path: str, label: str, form: Mapping[str, Any] | None = None) -> Seen:
        pairs = [(name, str(one)) for name, value in (form or {}).items() for one in _several(value)]
        sent: dict[str, Any] = {"params": pairs} if method == "GET" else {"data": [*pairs, ("csrf", self._csrf)]}
        used, began = cpu_seconds(self._pids), time.perf_counter()
        async with self._session.request(method, self._base + path, allow_redirects=False, **sent) as answer:
            text = await answer.text()
        took, used = time.perf_counter() - began, cpu_seconds(self._pids) - used
        seen = Seen(answer.status, answer.headers.get("Location", ""), text)
        if answer.status >= 400 or "why=" in re.sub(r"why=(&|$)", "", seen.to) or seen.to.startswith("/console/login"):
            told = re.sub(r"<[^>]+>|\s+", " ", text.partition("<main")[2])[:300]
            if not (seen.to == "/console/login" and "logout" in path):
                raise Refused(f"{self.name}: {method} {path}: {answer.status} {seen.to} {told}")
        if label:
            self.times.setdefault(label, []).append(took)
            self.used.setdefault(label, []).append(used)
        return seen


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


async def round_of(visit: Visitor, filled: Filled, number: int) -> None:
    """All of it once."""
    if visit.may("POST /review/next"):
        await _reviews(visit)
        await _lines(visit)
        await _appeals(visit, filled)
    await _twice(visit)
    await visit("GET /appeals") if visit.may("GET /appeals") else None
    for page in (
        "GET /queues",
        "GET /node",
        "GET /live",
        "GET /live/figures",
        "GET /takedowns",
        "GET /lists",
        "GET /own",
    ):
        if visit.may(page):
            await visit(page)
    if visit.may("GET /takedowns/{id}"):
        await visit("GET /takedowns/{id}", id=filled.takedown)
    await _leads(visit, filled, number)
    await _searches(visit, filled, number)
    await _places(visit, filled, number)
    await _oversees(visit, number)
    await _own(visit)


async def _reviews(visit: Visitor) -> None:
    """Approved, taken back, refused, escalated, skipped."""
    case = (await visit("POST /review/next")).case
    shown = await visit("GET /review/{id}", id=case)
    await visit("GET /review/{id}/now", {"seen": shown.field("seen")}, id=case)
    await visit("POST /review/{id}/sender", id=case)
    after = await visit("POST /review/{id}/approve", {"seen": shown.field("seen")}, id=case)
    await visit("GET /review/{id}", {"done": case}, what="after a decision", id=after.case)
    await visit("POST /review/{id}/undo", id=case)
    shown = await visit("GET /review/{id}", id=case)
    await visit("POST /review/{id}/refuse", {"seen": shown.field("seen"), "digit": 1}, id=case)
    if visit.role is Role.REVIEWER:  # what a lead escalates comes back to them
        await visit("GET /review/{id}", id=after.case)
        after = await visit("POST /review/{id}/escalate", {"note": WHY}, id=after.case)
    left = await visit("POST /review/{id}/skip", id=after.case)
    await visit("POST /list/decide", {"case": f"{left.case}:1", f"to-{left.case}": "leave"}, what="one is left")
    await visit("GET /review")


async def _lines(visit: Visitor) -> None:
    """A page decided, taken back, decided again."""
    await visit("GET /list", what="places")
    await visit("POST /list/take")
    page = await visit("GET /list", what="lines")
    lines = page.all(r'name="case" value="(\d+:\d+)"')
    form: dict[str, Any] = {"case": lines, f"to-{lines[0].partition(':')[0]}": 1}
    await visit("POST /list/decide", form)
    await visit("POST /list/undo", {"case": [line.partition(":")[0] for line in lines]})
    lines = (await visit("GET /list", what="lines")).all(r'name="case" value="(\d+:\d+)"')
    await visit("POST /list/decide", {"case": lines})


async def _twice(visit: Visitor) -> None:
    """Decisions made once more, where any was drawn, and what a lead sees of them."""
    if visit.may("POST /sample/take"):
        await visit("GET /sample")
        taken = (await visit("POST /sample/take")).all(r"/console/sample/(\d+)/decide")
        if taken:
            after = await visit("POST /sample/{id}/decide", {"outcome": "approved"}, id=taken[0])
            for one in after.all(r"/console/sample/(\d+)/release")[:1]:
                await visit("POST /sample/{id}/release", id=one)
    if visit.may("GET /samples"):
        shown = await visit("GET /samples")
        for one in shown.all(r"/console/samples/(\d+)")[:1] if visit.may("POST /samples/{id}") else []:
            await visit("POST /samples/{id}", {"how": "settle", "reason": WHY}, id=one)


async def _leads(visit: Visitor, filled: Filled, number: int) -> None:
    """Hand-over, cases that have something in common, obligations."""
    if visit.may("GET /handover"):
        await visit("GET /handover")
        await visit("GET /handover", {"hours": 72}, what="three days")
    if visit.may("POST /handover"):
        await visit("POST /handover", {"note": f"{WHY} {number}"})
    if visit.may("GET /bulk"):
        await visit("GET /bulk")
    if visit.may("POST /bulk/decide"):
        common = {"room": filled.free[number].room}
        count = (await visit("POST /bulk", common)).field("count")
        if count:
            await visit("POST /bulk/decide", {**common, "count": count, "how": "approve"})
    if visit.may("GET /obligations"):
        await visit("GET /obligations")


async def _appeals(visit: Visitor, filled: Filled) -> None:
    first, second = filled.appeals.pop(), filled.appeals.pop()
    await visit("POST /appeals/{id}/claim", id=first)
    shown = await visit("GET /appeals/{id}", id=first)
    form = {"outcome": "rejected", "answer": "已经复核。", "seen": shown.field("seen"), "ground": GROUNDS[0]}
    await visit("POST /appeals/{id}/decide", form, id=first)
    await visit("POST /appeals/{id}/undo", id=first)
    await visit("POST /appeals/{id}/skip", id=first)
    await visit("POST /appeals/{id}/claim", id=second)
    if visit.role is Role.REVIEWER:
        await visit("GET /appeals/{id}", id=second)
        await visit("POST /appeals/{id}/escalate", {"note": WHY}, id=second)
    else:
        await visit("POST /appeals/{id}/skip", id=second)


async def _searches(visit: Visitor, filled: Filled, number: int) -> None:
    """Questions that are easy, and those that look at most of what there is."""
    if not visit.may("POST /messages"):
        return
    one = filled.free[number * 7 % len(filled.free)]
    await visit("GET /messages")
    for what, asked in {
        "the newest": {}, "a sender": {"sender": one.sender}, "the busiest sender": {"sender": "u0"},
        "a room": {"room": one.room}, "refused": {"verdict": "reject"}, "held": {"state": "held"},
        "a reason": {"reason_code": "keyword.match"}, "of a day": {"back": "1d"}, "a text": {"text": one.text[:2]},
        "one character": {"text": one.text[:1]}, "a rare text": {"text": one.text[:6]}, "no text": {"text": RARE},
        "frequent pairs that no text has": {"text": _frequent(filled)}, "an id": {"id": one.id},
        "a text in a room": {"text": one.text[:2], "room": one.room}, "deleted": {"state": "removed"},
        "whose": {"sender": one.sender, "identity": "1"},
    }.items():  # fmt: skip
        await visit("POST /messages", {**asked, "reason": WHY}, what=what)
    await visit("GET /messages/{id}", id=one.id)
    await visit("POST /messages/{id}", {"reason": WHY}, id=one.id)
    if visit.may("POST /messages/{id}/takedown"):
        gone = filled.free.pop()
        while gone.verdict != "pass":
            gone = filled.free.pop()
        await visit("POST /messages/{id}/takedown", {"reason": WHY, "ground": GROUNDS[0]}, id=gone.id)


def _frequent(filled: Filled) -> str:
    """Six characters whose pairs many texts have, and none in this order."""
    counts: dict[str, int] = {}
    for one in filled.free[:2000]:
        for at in range(len(one.text) - 1):
            pair = one.text[at : at + 2]
            counts[pair] = counts.get(pair, 0) + 1
    first = sorted(counts, key=counts.__getitem__, reverse=True)[:3]
    return "".join(first)


async def _places(visit: Visitor, filled: Filled, number: int) -> None:
    """Senders, rooms, blocks, lists."""
    room, sender = f"measured-{visit.name}-{number}", f"measured-{visit.name}-{number}"
    if visit.may("POST /senders"):
        await visit("GET /senders")
        await visit("POST /senders", {"sender": filled.free[number].sender, "reason": WHY})
        await visit("GET /blocks")
        await visit("POST /blocks", {"reason": WHY})
        await visit("POST /blocks", {"reason": WHY, "scope": "sender", "value": "blocked-77"}, what="of one")
    if visit.may("GET /rooms"):
        await visit("GET /rooms", {"room": filled.free[number].room})
    if visit.may("POST /rooms"):
        await visit("POST /rooms", {"room": filled.free[number].room, "reason": WHY})
    if visit.may("POST /rooms/status"):
        await visit("POST /rooms/status", {"room": room, "status": "slow", "interval": 10, "reason": WHY})
    if visit.may("POST /rooms/freeze"):
        ground = {"ground": GROUNDS[0], "reason": WHY}
        await visit("POST /rooms/freeze", {"scope": "room", "room": room, **ground})
        (switch,) = (await visit("GET /rooms", {"room": room})).all(r"rooms/thaw/(\d+)")
        await visit("POST /rooms/thaw/{id}", {"room": room, "reason": WHY}, id=switch)
    if visit.may("POST /senders/block"):
        ground = {"ground": GROUNDS[0], "reason": WHY, "until": "1d"}
        await visit("POST /senders/block", {"sender": sender, **ground})
        await visit("POST /blocks/new", {"scope": "device", "value": sender, **ground})
        asked = {"reason": WHY, "scope": "device", "value": sender}
        (block,) = (await visit("POST /blocks", asked, what="of one")).all(r"blocks/(\d+)/lift")
        await visit("POST /blocks/{id}/lift", {"reason": WHY}, id=block)
    if visit.may("POST /lists/try"):
        await visit("POST /lists/try", {"list": "spam", "text": "代开发票找我"})
    if visit.may("POST /lists/change"):
        form = {"list": "spam", "line": f"卖号{visit.name}{number}", "reason": WHY}
        await visit("POST /lists/change", form)
    if visit.may("POST /lists/draft"):
        form = {"list": "spam", "add": f"收号{visit.name}{number}", "reason": WHY}
        await visit("POST /lists/draft", {**form, "days": 7, "how": "try"}, what="over the record")
        await visit("POST /lists/draft", {**form, "how": "apply"}, what="in force")


async def _oversees(visit: Visitor, number: int) -> None:
    await _incidents(visit, number)
    if visit.may("GET /people"):
        await visit("GET /people")
    if visit.may("POST /people"):
        name = f"measured-{number}"
        await visit("POST /people", {"name": name, "roles": ["viewer"], "reason": WHY})
        await visit("POST /people/{name}/roles", {"roles": ["reviewer"], "reason": WHY}, name=name)
        await visit("POST /people/{name}/password", {"reason": WHY}, name=name)
        await visit("POST /people/{name}/log-out", {"reason": WHY}, name=name)
        await visit("POST /people/{name}/remove", {"reason": WHY}, name=name)
    if visit.may("POST /acts"):
        await visit("GET /acts")
        await visit("POST /acts", {"reason": WHY})
        await visit("POST /acts", {"reason": WHY, "kind": "takedown.create"}, what="of a kind")
        acts = await visit("POST /acts", {"reason": WHY, "kind": "block.create"}, what="of a kind")
        undo = acts.all(r"acts/(\d+)/undo") if visit.may("POST /acts/{act}/undo") else []
        if undo:  # the newest was lifted
            await visit("POST /acts/{act}/undo", {"reason": WHY}, act=undo[1])


async def _incidents(visit: Visitor, number: int) -> None:
    """One of a room that nobody writes in, from the button to its end; nothing is held there."""
    if not visit.may("GET /incidents"):
        return
    shown = await visit("GET /incidents")
    if visit.may("POST /incidents"):
        form = {"scope": "rooms", "places": f"measured-{visit.name}-{number}", "freeze": 1, "minutes": 15}
        form |= {"ground": GROUNDS[0], "reason": WHY}
        await visit("GET /incidents/new")
        await visit("POST /incidents/preview", form)
        begun = await visit("POST /incidents", form)
        incident = begun.to.rpartition("/")[2].partition("?")[0]
        await visit("POST /incidents/{id}/extend", {"minutes": 30, "reason": WHY}, id=incident)
        await visit("POST /incidents/{id}/end", {"reason": WHY}, id=incident)
        shown = await visit("GET /incidents")
    for one in shown.all(r"/console/incidents/(\d+)")[:1]:
        await visit("GET /incidents/{id}", id=one)
    over = number % INCIDENTS + 1  # one that still holds
    for page in ("POST /incidents/{id}/release", "POST /incidents/{id}/expire"):
        if visit.may(page) and (ready := (await visit("GET /incidents/{id}", id=over)).field("count")):
            await visit(page, {"count": ready, "reason": WHY}, id=over)


async def _own(visit: Visitor) -> None:
    """Language, password, out and in again."""
    await visit("POST /own", {"language": "zh", "theme": "dark", "cap": 0, "rest": 0})
    await visit("POST /choose", {"theme": "light", "back": "/console/own"})
    await visit("GET /password")
    await visit("POST /password", {"old": PASSWORD, "password": f"{PASSWORD}!", "again": f"{PASSWORD}!"})
    await visit.again()
    await visit("POST /password", {"old": f"{PASSWORD}!", "password": PASSWORD, "again": PASSWORD})
    await visit.again()
    await visit("POST /logout-everywhere")
    await visit.log_in()
    await visit("POST /logout")
    await visit.log_in()
