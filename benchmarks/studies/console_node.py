"""A node on which a team has worked for long: a journal of many messages, an index, and a control database with cases,
acts, appeals, takedowns, blocks, accounts and people, written in bulk by the models themselves.

    done, expired, void   half of the cases, with their traces
    waiting               two fifths, sealed as a worker parks them; some for a second person, some for a lead
    appeals               a tenth of the cases, a fifth of which wait
    acts                  three times as many as cases: readings, claims, decisions
"""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from argon2 import PasswordHasher, Type
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from gateway.common.folders import DatabasePlace, DatabaseServer
from gateway.control.access.roles import Role
from gateway.control.accounts.rows import Account
from gateway.control.acts.database import Database
from gateway.control.acts.rows import Act
from gateway.control.appeals.rows import Appeal, AppealEvent
from gateway.control.blocks.rows import Block
from gateway.control.cases.cases import Cause
from gateway.control.cases.rows import Case, CaseCause, CaseEvent
from gateway.control.holding.adoption import Parked, adopt
from gateway.control.holding.rows import Held
from gateway.control.incidents.rows import Incident
from gateway.control.people.rows import Password, Person
from gateway.control.takedowns.rows import Deletion, Takedown, TakedownEvent
from gateway.parking.parked import ParkedRequest
from gateway.parking.seal import Seal, key_of
from rig import node, process
from rig.history import History, Written

KEY: Final = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
PASSWORD: Final = "correct horse battery staple"
GROUNDS: Final = ("agreement 3.1", "agreement 3.2", "agreement 3.3")
DAY_US: Final = 86_400_000_000
AT_ONCE: Final = 2000
CROWD: Final = 50
INCIDENTS: Final = 8
CONFIG: Final = """
[server]
listen = "127.0.0.1:{gate}"
workers = 1
[control]
listen = "127.0.0.1:{control}"
{database}
[console]
attempts = 100
[state]
deadline = "2s"
[upstreams.platform]
servers = ["http://127.0.0.1:{platform}"]
[lists.spam]
path = "spam.txt"
[appeals]
[index]
[review]
key = "{key}"
on_cap = "reject"
waiting = 1000000
waiting_per_room = 1000000
waiting_per_sender = 1000
[desk]
undo = "20s"
sample = 0.2
grounds = {grounds}
[policies.comment]
appeal = "/appeals?code={{code}}"
rules = [{{ check = "keywords", action = "reject", on_error = "reject", ground = "agreement 3.1", lists = ["spam"] }}]
[[routes]]
name = "comments"
match = "POST /api/articles/{{room}}/comments"
surface = "comment"
upstream = "platform"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
upstream_id = "json:/id"
takedown = {{ match = "DELETE /api/articles/{{room}}/comments/{{id}}" }}
release = {{ match = "POST /api/articles/{{room}}/comments" }}
"""


class NodePorts(NamedTuple):
    gate: int
    control: int
    platform: int


class Filled(NamedTuple):
    """What rounds ask for. ``free``: messages without a case; ``appeals``: numbers of those that wait."""

    free: list[Written]
    appeals: list[int]
    takedown: int


def write_config(folder: Path, ports: NodePorts, url: str = "") -> Path:
    """``url``: of the control database, where it is a server's."""
    (folder / "spam.txt").write_text("代开发票\n", encoding="utf-8")
    path = folder / "tidegate.toml"
    database = f'database = "{url}"' if url else ""
    path.write_text(
        CONFIG.format(**ports._asdict(), database=database, key=KEY, grounds=json.dumps(GROUNDS)), encoding="utf-8"
    )
    return path


def write_journal(folder: Path, messages: int, cases: int) -> list[Written]:
    """As workers would have written it; as many of its messages as there are to be cases, and some more, by which
    searches and takedowns have something to find. What stands there already is not written again."""
    told = folder / "written.json"
    if told.exists():
        return [Written(*one) for one in json.loads(told.read_text(encoding="utf-8"))]
    history = History(folder / "data" / "journal", messages, every=max(1, messages // (cases + cases // 10)))
    history.write()
    told.write_text(json.dumps(history.kept), encoding="utf-8")
    return history.kept


def fill(folder: Path, url: str, written: Sequence[Written], cases: int) -> Filled:
    """Everything that people and the platform did so far, into a database that is empty."""
    place: DatabasePlace = DatabaseServer(url) if url else folder / "data" / "control" / "control.sqlite3"
    database = Database(place)
    try:
        return _filled(database, written, cases)
    finally:
        database.close()


def _filled(database: Database, written: Sequence[Written], cases: int) -> Filled:
    rng, now = random.Random(3), time.time_ns() // 1000
    ended = list(written[: cases // 2])
    appealed = ended[: cases // 10]
    waiting = list(written[cases // 2 : cases - len(appealed)])  # what has an appeal has a case of its own
    free = list(written[cases:])
    seal = Seal(key_of(KEY))
    for at in range(0, len(waiting), AT_ONCE):
        parked = [_parked(one, seal) for one in waiting[at : at + AT_ONCE]]
        database.now(partial(adopt, parked=parked, now=now, expires_us=lambda _: 11 * DAY_US))
    database.now(lambda session: _desks(session, len(waiting)))
    numbers = itertools.count(len(waiting) + 1)
    _insert(database, (row for one in ended for row in _ended(one, next(numbers), rng)))
    _insert(database, (row for at, one in enumerate(appealed, 1) for row in _appeal(one, at, next(numbers), now)))
    _insert(database, (row for at, one in enumerate(ended[-cases // 10 :], 1) for row in _takedown(one, at)))
    _insert(database, (_act(at, now - (3 * cases - at) * 1_000_000, rng) for at in range(1, 3 * cases + 1)))
    _insert(database, (_block(at, now) for at in range(1, cases // 5 + 1)))
    _insert(database, (Account(sender=f"u{at}", verified=True, credit=80) for at in range(cases // 5)))
    _insert(database, (_incident(at, now) for at in range(1, INCIDENTS + 1)))
    _insert(database, _people(now))
    if database.server is not None:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(
                "SELECT setval(pg_get_serial_sequence('acts', 'id'), (SELECT max(id) FROM acts))"
            )
            for table in ("cases", "appeals", "takedowns", "blocks", "incidents"):
                connection.exec_driver_sql(
                    f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
                )
            connection.exec_driver_sql("ANALYZE")
    return Filled(free, [at for at in range(1, len(appealed) + 1) if at % 5 == 0], len(ended) // 10)


def _insert(database: Database, rows: Iterator[Any]) -> None:
    while some := list(itertools.islice(rows, AT_ONCE)):

        def work(session: Session, some: list[Any] = some) -> None:
            alike: dict[tuple[Any, ...], list[dict[str, Any]]] = {}  # in the order in which rows refer to each other
            for row in some:
                given = {name: value for name, value in vars(row).items() if name[0] != "_"}
                alike.setdefault((type(row), *given), []).append(given)
            for model in dict.fromkeys(kind[0] for kind in alike):
                for kind, rows in alike.items():
                    if kind[0] is model:
                        session.execute(insert(model), rows)

        database.now(work)


def _parked(one: Written, seal: Seal) -> Parked:
    body = json.dumps({"content": one.text}, ensure_ascii=False).encode()
    finding = {
        "check": "keywords", "reason": "keyword.match", "field": 0, "spans": [[0, 2]], "category": "spam",
        "effect": "hold", "ground": GROUNDS[0], "severity": 1,
    }  # fmt: skip
    request = ParkedRequest(
        one.id, one.at, "comments", "comment", one.room, one.sender, (one.text,), "keyword.match", GROUNDS[0],
        (finding,), "0" * 64, "POST", f"/api/articles/{one.room}/comments", (("Content-Type", "application/json"),),
        body, fingerprint=hashlib.sha256(one.text.encode()).digest()[:8],
    )  # fmt: skip
    return Parked(request, seal.seal(one.id, request.encode()))


def _desks(session: Session, waiting: int) -> None:
    """Some wait for a second person, some for a lead, some of an incident; none of those that a round comes to."""
    for desk, rest in (("second", 1), ("lead", 2)):
        late = (Case.id > waiting // 2, Case.id <= waiting, Case.id % 10 == rest)
        session.execute(update(Case).where(*late).values(desk=desk))
    for number in range(1, INCIDENTS + 1):
        of_it = (Case.id > waiting // 2, Case.id <= waiting, Case.id % 10 == 3, Case.id // 10 % INCIDENTS == number - 1)
        messages = select(Case.message_id).where(*of_it)
        session.execute(update(Held).where(Held.message_id.in_(messages)).values(incident=number))


def _ended(one: Written, number: int, rng: random.Random) -> Iterator[Any]:
    drawn = rng.random()
    state = "done" if drawn < 0.75 else "expired" if drawn < 0.95 else "void"
    done = state == "done"
    yield _case(
        one, number, "message", state=state, closed_at=one.at + 60_000_000,
        outcome=("approved" if drawn < 0.5 else "refused") if done else "", ground=GROUNDS[0] if done else "",
        decided_by="reviewer" if done else "", decided_at=one.at + 50_000_000 if done else 0,
    )  # fmt: skip
    yield CaseCause(case_id=number, at=one.at, cause=Cause.HOLD, category="spam", reason="keyword.match")
    for event, person in (
        ("open", ""),
        ("claim", "reviewer"),
        ("decide" if done else state, "reviewer" if done else ""),
    ):
        yield CaseEvent(case_id=number, at=one.at, event=event, person=person)


def _case(one: Written, number: int, kind: str, **more: Any) -> Case:
    return Case(
        id=number, kind=kind, message_id=one.id, route="comments", room=one.room, sender=one.sender,
        category="spam", fingerprint="f" * 16, opened_at=one.at, due_at=one.at, desk="first", barred=[], **more,
    )  # fmt: skip


def _appeal(one: Written, number: int, case: int, now: int) -> Iterator[Any]:
    waits = number % 5 == 0
    state = "waiting" if waits else ("upheld", "partly", "rejected", "withdrawn")[number % 4]
    kept = {"state": "waiting", "open_as": f"appeal:{one.id}"} if waits else {"state": "done", "closed_at": now}
    yield _case(one, case, "appeal", **kept)
    yield CaseCause(case_id=case, at=one.at, cause=Cause.APPEAL, reference=str(number))
    yield Appeal(
        id=number, message_id=one.id, code=f"{number:010}", route="comments", room=one.room, sender=one.sender,
        at=one.at, standing="reviewed", check="keywords", reason="keyword.match", ground=GROUNDS[0], category="spam",
        state=state, filed_at=one.at, due_at=now + DAY_US if waits else 0, closed_at=0 if waits else now,
        language="zh", statement="这是一条普通的评论，没有广告。" * 8, proved=True, case_id=case,
        answer="" if waits else "已经复核。",
    )  # fmt: skip
    yield AppealEvent(appeal_id=number, at=one.at, event="filed", journalled=True)


def _takedown(one: Written, number: int) -> Iterator[Any]:
    yield Takedown(
        id=number, message_id=one.id, upstream_id=f"p-{number}", route="comments", room=one.room, reason="order 7",
        ground=GROUNDS[1], act_uid=f"takedown-{number}", created_at=one.at,
    )  # fmt: skip
    yield Deletion(takedown_id=number, state="confirmed", due_at=0, confirm_by=one.at + 60_000_000, tries=1)
    for event in ("requested", "confirmed"):
        yield TakedownEvent(takedown_id=number, at=one.at, event=event, status=204, journalled=True)


def _act(number: int, at: int, rng: random.Random) -> Act:
    kind = rng.choice(("case.read", "case.claim", "case.decide", "case.done", "message.search", "message.read"))
    subject = f"case:{number % 90_000 + 1}" if kind.startswith("case") else f"message:{number:036}"
    return Act(
        id=number, uid=f"01900000-0000-7000-8000-{number:012}", person="reviewer", reason="a day's work", at=at,
        kind=kind, subject=subject, changes=[],
    )  # fmt: skip


def _block(number: int, now: int) -> Block:
    return Block(
        id=number, scope="sender", value=f"blocked-{number}", reason="spam", ground=GROUNDS[0], expires_at=0,
        created_at=now,
    )  # fmt: skip


def _incident(number: int, now: int) -> Incident:
    """One that is over, and still holds."""
    return Incident(
        id=number, scope="all", places=[], hold=True, freeze=False, pace_ms=0, level=-1, ground=GROUNDS[0],
        reason="a day's work", opened_by="lead", act_uid=f"incident-{number}", begun_at=now - DAY_US,
        ends_at=now - DAY_US // 2, ended_at=now - DAY_US // 2, ended_by="lead",
    )  # fmt: skip


def _people(now: int) -> Iterator[Any]:
    """One of each role, and a crowd that may search; all with the same password, which costs as much as anybody's."""
    encoded = PasswordHasher(time_cost=3, memory_cost=64 << 10, parallelism=1, type=Type.ID).hash(PASSWORD)
    names = [(role.value, role) for role in Role] + [(f"of-the-crowd-{at}", Role.REVIEWER) for at in range(CROWD)]
    for name, role in names:
        yield Person(
            name=name, token_hash=hashlib.sha256(name.encode()).hexdigest(), created_at=now, roles=[role.value],
            roles_given=True,
        )  # fmt: skip
        yield Password(person=name, encoded=encoded, set_at=now, once=False)


@contextmanager
def running(folder: Path, config: Path) -> Iterator[Path]:
    """The node, ready; its data folder."""
    data = folder / "data"
    argv = [sys.executable, "-m", "gateway", "run", "--config", str(config), "--data-dir", str(data)]
    with (folder / "log").open("wb") as log:
        started = process.start(argv, stdout=subprocess.PIPE, stderr=log, cwd=process.ROOT)
    try:
        if not node.wait_until_ready(started, 180, data):
            raise RuntimeError((folder / "log").read_text()[-2000:])
        yield data
    finally:
        process.stop(started, within=60)
