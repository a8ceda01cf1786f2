"""A control API over a real socket, with small neighbours: a journal, a state and a supervisor that can fail."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.common.boot import ClockWatch
from gateway.common.channel import ChannelError
from gateway.common.folders import DatabasePlace
from gateway.config import Config
from gateway.config.sections.review.desk import Desk as DeskSection
from gateway.config.sections.sentences import Sentences
from gateway.config.sections.server import Server as ServerSection
from gateway.control.acts.acts import Unit
from gateway.control.acts.database import Database
from gateway.control.acts.ledger import Ledger
from gateway.control.acts.neighbours import Change, Reloaded, Row
from gateway.control.acts.outbox import OutboxRelay
from gateway.control.acts.refusal import ControlError
from gateway.control.acts.rows import Outbox
from gateway.control.api.api import application
from gateway.control.callbacks.call_posting import Posted
from gateway.control.callbacks.callback_sender import CallbackSender
from gateway.control.callbacks.receivers import CallTarget
from gateway.control.calls.call import BodyBounds, Services
from gateway.control.cases.rows import Case
from gateway.control.console.console_pages import PAGES
from gateway.control.console.sessions.console_sessions import ConsoleSessions, SessionSettings
from gateway.control.console.sessions.login_pace import LoginPace, PaceSettings
from gateway.control.console.shell.console_login import ConsoleLogin
from gateway.control.console.shell.console_site import ConsoleSite
from gateway.control.console.shell.console_terms import ConsoleTerms
from gateway.control.features import ENDPOINTS, GOVERNANCE
from gateway.control.incidents.incident_settings import IncidentDesk
from gateway.control.journals.journal_readers import JournalReaders
from gateway.control.lists.compiled_lists import CompiledLists, ListInfo
from gateway.control.lists.schemas import HitOut, TryOut
from gateway.control.node.health import Health
from gateway.control.nodes.clock_skew import ClockSkew
from gateway.control.obligations.generation_table import GenerationTable
from gateway.control.people import people
from gateway.control.people.passwords import Passwords
from gateway.control.releasing.wanted_gone import HeldTakedowns
from gateway.control.review.desk_settings import DeskSettings
from gateway.control.review.neighbours import CaseText
from gateway.control.review.review_desk import ReviewDesk
from gateway.control.takedowns.neighbours import Asked, CopiesTold, CopyTold, MessageTold, Said
from gateway.control.takedowns.takedowns import Takedowns
from gateway.control.workers.totals import Totals
from gateway.control.workers.workers import Workers
from gateway.generation.generation import Generation
from gateway.replicas.copying.offering import Offering
from gateway.state.cold.eviction import Eviction
from gateway.state.cold.governance_projection import EpochLost
from gateway.state.cold.owner import NotOurs, StateOwner
from gateway.state.model.snapshot import SnapshotRows, encode


class Crash(Exception):
    """Injected where a process could die."""


class Journal:
    """Keeps records in a list, as a file would over a restart."""

    def __init__(self) -> None:
        self.records: list[Row] = []
        self.fail: list[str] = []  # "before" or "after" the write, taken one a call

    async def append(self, act: Row) -> None:
        fail = self.fail.pop(0) if self.fail else ""
        if fail == "before":
            raise Crash
        self.records.append(dict(act))
        if fail == "after":
            raise Crash

    async def recorded(self, uids: Collection[str], since: int) -> set[str]:
        return {act["uid"] for act in self.records if act["at"] >= since} & set(uids)


class State:
    """Governance data by (table, subject)."""

    def __init__(self) -> None:
        self.rows: dict[tuple[Any, ...], Row] = {}
        self.snapshot: dict[str, Any] = {}  # as it stands in state
        self.published: list[int] = []
        self.epochs: list[int] = []
        self.newest = 0  # act up to which rows were read that stand here
        self.epoch = False
        self.fresh = False
        self.fail: list[str] = []
        self.down = False
        self.owner: StateOwner | None = None  # somebody else, who has it
        self.evicts = Eviction(frozenset({"noeviction"}), 0)
        self.replicas: bool | None = None  # whether they have everything

    def _maybe(self) -> str:
        if self.down:
            raise ConnectionError("down")
        fail = self.fail.pop(0) if self.fail else ""
        if fail == "before":
            raise Crash
        return fail

    async def apply(self, changes: Sequence[Change]) -> None:
        fail = self._maybe()
        for change in changes:
            self.newest = max(self.newest, change.act)
            key = (change.table, *change.subject.values())
            if change.row is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = change.row
        if fail == "after":
            raise Crash

    async def publish(self, snapshot: SnapshotRows) -> None:
        self._maybe()
        self.snapshot = encode(snapshot)
        self.published.append(snapshot.version)

    async def confirm(self) -> bool:
        self._maybe()
        if self.owner is not None:
            raise NotOurs(self.owner, "ours")
        return self.epoch

    async def restarted(self) -> bool:
        self._maybe()
        return self.fresh

    async def replicated(self, *, every: bool = False) -> bool | None:
        self._maybe()
        return self.replicas

    async def rebuild(
        self,
        batches: AsyncIterable[Sequence[Change]],
        snapshot: SnapshotRows,
        epoch: int,
        newest: Callable[[], Awaitable[int]],
    ) -> int:
        self._maybe()
        if self.owner is not None:
            raise NotOurs(self.owner, "ours")
        self.epochs.append(epoch)
        self.rows.clear()
        self.newest = await newest()
        count = 0
        async for batch in batches:
            await self.apply(batch)
            count += len(batch)
        await self.publish(snapshot)
        self.epoch = True
        self.fresh = False
        return count

    async def numbers(self) -> tuple[int, int]:
        self._maybe()
        return max(self.epochs, default=0), self.newest

    async def version(self) -> int:
        self._maybe()
        return int(self.snapshot.get("version", 0))

    async def holds_snapshot(self) -> bool:
        self._maybe()
        return bool(self.snapshot)

    async def lacking(self, changes: Sequence[Change]) -> Sequence[Change]:
        self._maybe()
        if not self.epoch:
            raise EpochLost
        return [change for change in changes if self.rows.get((change.table, *change.subject.values())) != change.row]

    async def eviction(self) -> Eviction:
        self._maybe()
        return self.evicts

    async def claim(self) -> StateOwner | None:
        self._maybe()
        before, self.owner = self.owner, None
        return before

    async def ping(self) -> None:
        self._maybe()


class Supervisor:
    """Answers reloads as told."""

    def __init__(self) -> None:
        self.reloads = 0
        self.problems: tuple[str, ...] = ()
        self.may_shrink: tuple[str, ...] = ()
        self.stopping = False
        self.away = False

    async def reload(self, may_shrink: Sequence[str] = ()) -> Reloaded:
        self.reloads += 1
        self.may_shrink = tuple(may_shrink)
        return Reloaded(not self.problems, self.reloads, self.problems)

    async def status(self) -> Mapping[str, Any]:
        if self.away:
            raise ChannelError("absent")
        child = {"pid": 1, "state": "running", "restarts": 2}
        return {"generation": 1, "stopping": self.stopping, "children": {"worker-0": child}}


class OneList(CompiledLists):
    """A list ``spam`` in which a line with a question mark is wrong and ``buy`` is found."""

    def __init__(self) -> None:
        """No generation."""

    def all(self) -> Sequence[ListInfo]:
        return [ListInfo("spam", "words", "d1", 3)]

    def check(self, name: str, line: str) -> Sequence[str]:
        return ["has a question mark"] if "?" in line else []

    def holds(self, name: str, line: str) -> bool:
        return line == "buy"

    def written(self, name: str, ids: Collection[int]) -> dict[int, str]:
        return {one: "buy" for one in ids if one == 7}

    def attempt(self, name: str, text: str) -> TryOut:
        at = text.find("buy")
        hit = HitOut(word_id=0, category="fraud", severity=1, spans=[(at, at + 3)], matched=["buy"])
        return TryOut(name=name, digest="d1", hits=[hit] if at >= 0 else [])


class Told:
    """Messages that a journal would hold; a text's fingerprint is its first letter sixteen times."""

    def __init__(self) -> None:
        self.messages: dict[str, MessageTold] = {}
        self.names: dict[tuple[str, str], str] = {}
        self.records: list[Row] = []
        self.searched: list[tuple[str, int, str]] = []
        self.down = False
        self.unreadable: type[Exception] | None = None

    def add(self, name: str, text: str | None = "abc", **changed: Any) -> MessageTold:
        kept = (text,) if text is not None else None
        told = MessageTold(name, "comments", "r1", 1_700_000_000_000_000, "pass", "delivered", f"p-{name}", kept)
        told = self.messages[name] = told._replace(**changed)
        self.names[told.route, told.upstream_id] = name
        return told

    async def find(self, message_id: str) -> MessageTold | None:
        if self.unreadable is not None:
            raise self.unreadable
        return self.messages.get(message_id)

    async def named(self, route: str, upstream_id: str) -> str:
        return self.names.get((route, upstream_id), "")

    def fingerprint(self, texts: tuple[str, ...]) -> str:
        return texts[0][:1] * 16

    async def copies(self, fingerprint: str, since_us: int, but: str) -> CopiesTold:
        self.searched.append((fingerprint, since_us, but))
        found = [
            CopyTold(one.id, one.route, one.room, one.at, one.verdict)
            for one in self.messages.values()
            if one.id != but and one.texts is not None and self.fingerprint(one.texts) == fingerprint
        ]
        return CopiesTold(found, len(found), 0, True)

    async def append(self, record: Row) -> None:
        if self.down:
            raise ConnectionError
        self.records.append(record)


class Platform:
    """Says what it is told to, in order, then the last thing again; ``asked`` is what it heard."""

    def __init__(self) -> None:
        self.says = [Said(True, 204)]
        self.asked: list[Asked] = []
        self.within = 60.0

    async def delete(self, asked: Asked) -> Said:
        self.asked.append(asked)
        return self.says.pop(0) if len(self.says) > 1 else self.says[0]

    def confirm_within(self, route: str) -> float:
        return self.within

    def appeal_code(self, message_id: str) -> str:
        return f"code of {message_id}"


class Desk:
    """What cases are about, and what decisions did to it. ``now`` in µs since the epoch."""

    def __init__(self) -> None:
        self.now = 1_700_000_000_000_000
        self.settings = DeskSettings()
        self.texts: dict[int, CaseText] = {}
        self.done: list[tuple[str, str, str, str]] = []  # message, outcome, person, ground
        self.refuses: ControlError | None = None

    async def read(self, rows: Sequence[Case]) -> dict[int, CaseText]:
        return {case.id: self.texts.get(case.id, CaseText(missing="unknown")) for case in rows}

    def effect(self, unit: Unit, case: Case, now: int) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.done.append((case.message_id, case.outcome, unit.person, case.ground))


class Receivers:
    """Take every call."""

    async def post(self, target: CallTarget, body: bytes, fields: dict[str, str], now_s: float) -> Posted:
        return Posted(200)

    async def close(self) -> None:
        """Nothing is open."""


class Plant:
    """Everything of one control process; ``restart`` makes a new one over the same files and neighbours."""

    def __init__(self, folder: Path, place: DatabasePlace, *, serving: bool = False) -> None:
        self.folder = folder
        self.serving = serving  # beside others
        self.place = place
        self.journal = Journal()
        self.state = State()
        self.supervisor = Supervisor()
        self.messages = Told()
        self.platform = Platform()
        self.desk = Desk()
        self.sockets: dict[str, Path] = {}
        self.mirror_lag: float | None = None
        self.session_clock: Callable[[], int] = lambda: time.time_ns() // 1000  # µs
        self.pace_clock: Callable[[], float] = time.monotonic
        self.config = Config.model_construct(  # nobody is called
            callbacks=(), desk=DeskSection(), review=None, routes=(), lists={}, policies={}, sentences=Sentences()
        )
        nothing = Config.model_construct(routes=(), lists={}, policies={}, server=ServerSection())
        self.generation = Generation(1, nothing, {})
        numbers = itertools.count(1)
        self.ids = lambda: f"act-{next(numbers):04}"
        self.offering = Offering(folder / "records", 1)
        self.open()

    def open(self) -> None:
        self.database = Database(self.place, serving=self.serving)
        self.totals = Totals()
        self.workers = Workers(lambda: self.sockets, self.totals, self.folder / "projector.sock")
        self.relay = OutboxRelay(self.database, self.journal, self.state, GOVERNANCE, retry=0.01)
        self.ledger = Ledger(
            database=self.database,
            relay=self.relay,
            workers=self.workers,
            reloader=self.supervisor,
            governance=GOVERNANCE,
            ids=self.ids,
        )
        self.people = people.followed(self.ledger)
        self.clock = ClockWatch()
        self.skew = ClockSkew(lambda: 1.0)
        health = Health(
            database=self.database,
            relay=self.relay,
            projection=self.state,
            workers=self.workers,
            reloader=self.supervisor,
            journal=self.folder,
            low_disk=0,
            full_disk=0,
            clock=self.clock,
            skew=self.skew,
        )
        self.takedowns = Takedowns(self.database, self.messages, self.platform)
        self.review = ReviewDesk(
            self.ledger, lambda: self.desk.settings, self.desk, {"message": self.desk.effect},
            clock=lambda: self.desk.now * 1000,
        )  # fmt: skip
        self.passwords = Passwords(memory=64, passes=1)  # a check of a millisecond
        self.session_settings = SessionSettings()
        self.pace_settings = PaceSettings()
        self.sessions = ConsoleSessions(
            self.ledger, lambda: self.session_settings, clock=lambda: self.session_clock() * 1000
        )
        self.login = ConsoleLogin(
            self.sessions, self.passwords, LoginPace(lambda: self.pace_settings, self.pace_clock), lambda: 64,
            lambda: False,
        )  # fmt: skip
        self.incidents = IncidentDesk(lambda: self.config, clock=lambda: self.desk.now * 1000)
        self.callbacks = CallbackSender(
            self.database, lambda: self.config, Receivers(), ids=self.ids, clock=lambda: self.desk.now * 1000
        )
        self.services = Services(
            database=self.database,
            ledger=self.ledger,
            workers=self.workers,
            totals=self.totals,
            projection=self.state,
            reloader=self.supervisor,
            route_names=lambda: frozenset({"comments"}),
            mirror_lag=lambda: self.mirror_lag,
            mirror_max_lag=lambda: None if self.mirror_lag is None else 10.0,
            bounds=BodyBounds(max_body=65536, max_import=300_000),
            endpoints=ENDPOINTS,
            features=[
                OneList(),
                self.takedowns,
                self.review,
                self.callbacks,
                health,
                self.passwords,
                self.sessions,
                self.login,
                ConsoleTerms(lambda: self.config),
                HeldTakedowns(),
                self.incidents,
                JournalReaders(self.offering),
                GenerationTable(lambda: self.generation),
            ],
        )

    async def recorded(self) -> list[Row]:
        """The acts in the journal, once each that was committed has come there: an answer does not wait for all."""

        def work(session: Session) -> int | None:
            return session.scalar(select(func.min(Outbox.act_id)).where(Outbox.acknowledged_journal.is_(False)))

        for _ in range(20):
            waits = await self.database.read(work)
            if waits is None:
                return self.journal.records
            await self.relay.settled(waits, 5)
        raise TimeoutError(f"act {waits} is not in the journal")

    async def restart(self) -> None:
        await self.relay.stop()
        await self.takedowns.stop()
        self.passwords.close()
        self.database.close()
        self.open()


class Api:
    """A client with the first person's token. ``last`` is the last response's status and headers."""

    def __init__(self, plant: Plant, session: ClientSession, url: str, token: str) -> None:
        self.plant = plant
        self.session = session
        self.url = url
        self.token = token
        self.status = 0
        self.headers: Mapping[str, str] = {}

    async def __call__(self, method: str, path: str, token: str | None = None, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        async with self.session.request(method, self.url + path, headers=headers, **more) as response:
            self.status = response.status
            self.headers = response.headers
            return await response.json(content_type=None)


@pytest.fixture
async def plant(tmp_path: Path, place: DatabasePlace) -> AsyncIterator[Plant]:
    made = Plant(tmp_path, place)
    yield made
    await made.relay.stop()
    await made.takedowns.stop()
    made.passwords.close()
    made.database.close()


@pytest.fixture
async def api(plant: Plant) -> AsyncIterator[Api]:
    keep = plant.folder / "first-token"
    token = plant.database.now(lambda session: people.first(session, "admin", plant.ids(), keep, GOVERNANCE))
    assert token is not None
    plant.people.refresh(plant.database.now(people.callers))
    plant.relay.start()
    plant.takedowns.start()
    pages = ConsoleSite(plant.services, PAGES).routes()
    runner = web.AppRunner(application(plant.services, plant.people, ENDPOINTS, version="0", pages=pages))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with ClientSession() as session:
        yield Api(plant, session, f"http://127.0.0.1:{port}", token)
    await runner.cleanup()
