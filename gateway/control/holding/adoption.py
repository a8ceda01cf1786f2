"""From the workers' spools into the database: a held message and its case in one transaction, then the file goes.

    file of a spool ──► sound frames ──► judged? ──► row, case ──► commit ──► file removed

Laws: a message is taken over once, however often its file is read; what was parked and never recorded as judged, or,
where it was held while its delay ran, as held, was promised to nobody (its worker died between the two), and is
discarded after ``PATIENCE_US``; what cannot be opened
stays where it is until its key is there, is told once, and holds nobody else up. Everything that reads files is done in
a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.common.ending import end
from gateway.control.acts.database import Database
from gateway.control.acts.refusal import DatabaseUnavailable
from gateway.control.cases import cases
from gateway.control.holding import held, held_states
from gateway.control.holding.rows import Held
from gateway.journal.read import lookup
from gateway.journal.write import ids
from gateway.journal.write.segments import segments
from gateway.judging.incidents import HELD
from gateway.parking import spooled
from gateway.parking.parked import BadParking, ParkedRequest, decode
from gateway.parking.seal import Seal, SealBroken
from gateway.parking.spooled import Spooled
from gateway.parking.status_site import SUPERSEDES, named_by

log = structlog.get_logger()

EVERY = 0.25  # seconds between two looks where nothing is new
LONGEST_PAUSE = 5.0  # seconds, while something fails
PATIENCE_US = 10_000_000  # how long a judged record is waited for; it follows the parking within a turn
STUCK_US = 5_000_000  # between two tries to open what cannot be opened
TAIL = 4 << 20  # bytes at the end of a writer's journal in which it is looked for first
AT_ONCE = 256  # files of one look: a worker writes one for each loop turn that parks
BYTES_AT_ONCE = 16 << 20  # of one look; the file that passes it is the last
COMMITTED_AT_ONCE = 50  # messages of one transaction, so that nobody's act waits long for the database
_JUDGED: Final = re.compile(rb'"kind":"judged","id":"([0-9a-f-]{36})"')
_HELD: Final = re.compile(rb'"kind":"outcome","id":"([0-9a-f-]{36})","time":[0-9]+,"state":"held"')


class Parked(NamedTuple):
    """One message of a spool, opened, and as it is sealed."""

    request: ParkedRequest
    sealed: bytes


class _Read(NamedTuple):
    """``due``: to be taken over; ``lost``: nobody judged them; ``unopened``: how many cannot be opened now; ``whole``:
    nothing of the file is left to do then."""

    file: Spooled
    due: list[Parked]
    lost: list[str]
    unopened: int
    whole: bool


class _Stuck(NamedTuple):
    """A file of which ``messages`` cannot be opened: it is read again at ``until`` (µs), and is in nobody's way."""

    until: int
    messages: int


class Adoption:
    """``root``: the spools; ``journal``: of the node; ``expires``: seconds that a message of a surface may wait;
    ``taken`` is called after each commit. ``clock`` in nanoseconds since the epoch."""

    def __init__(
        self,
        database: Database,
        root: Path,
        journal: Path,
        seal: Callable[[], Seal | None],
        expires: Callable[[str], float],
        *,
        taken: Callable[[], None] = lambda: None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.unopened = 0  # sealed messages that cannot be opened now
        self.discarded = 0  # parked and never judged, since the start
        self._database = database
        self._root = root
        self._journal = journal
        self._seal = seal
        self._expires = expires
        self._taken = taken
        self._clock = clock
        self._told: set[str] = set()  # messages whose seal was complained of
        self._stuck: dict[Path, _Stuck] = {}
        self._seal_before: Seal | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="intake")

    async def stop(self) -> None:
        if self._task is not None:
            await end([self._task])

    async def step(self) -> bool:
        """Take over what there is; True where something was."""
        seal = self._seal()
        if seal is None:
            return False
        if seal is not self._seal_before:  # another key: what it opens need not wait
            self._seal_before = seal
            self._stuck = {path: stuck._replace(until=0) for path, stuck in self._stuck.items()}
        now = self._clock() // 1000
        found = await asyncio.to_thread(self._read_some, seal, now)
        for read in found:
            self._stuck.pop(read.file.path, None)
            if read.unopened:
                self._stuck[read.file.path] = _Stuck(now + STUCK_US, read.unopened)
        self.unopened = sum(stuck.messages for stuck in self._stuck.values())
        due = [one for read in found for one in read.due]
        for at in range(0, len(due), COMMITTED_AT_ONCE):
            await self._database.run(partial(self._adopt, due=due[at : at + COMMITTED_AT_ONCE], now=now))
            self._taken()
        lost = sum(len(read.lost) for read in found)
        if lost:
            self.discarded += lost
            log.warning("parking.discarded", messages=lost)
        whole = [read.file for read in found if read.whole]
        if whole:
            await asyncio.to_thread(spooled.done, whole)
        for file in whole:
            if file.torn:
                log.error("parking.torn", writer=file.writer, bytes=file.torn)
        return bool(due or whole)

    def _read_some(self, seal: Seal, now: int) -> list[_Read]:
        """The oldest files of each writer, as many as one look takes: the journals' ends are read once for all."""
        files: list[Spooled] = []
        size = 0
        for path in spooled.waiting(self._root):
            stuck = self._stuck.get(path)
            if stuck is not None and stuck.until > now:
                continue
            with contextlib.suppress(FileNotFoundError):
                files.append(spooled.read(path))
                size += sum(len(frame.sealed) for frame in files[-1].frames)
            if len(files) >= AT_ONCE or size >= BYTES_AT_ONCE:
                break
        judged = _Judged(self._journal)
        return [self._read(file, judged, seal, now) for file in files]

    def _read(self, file: Spooled, judged: _Judged, seal: Seal, now: int) -> _Read:
        due: list[Parked] = []
        lost: list[str] = []
        unopened = 0
        whole = True
        for frame in file.frames:
            try:
                request = decode(seal.open(frame.message_id, frame.sealed))
            except (SealBroken, BadParking) as error:
                if frame.message_id not in self._told:
                    self._told.add(frame.message_id)
                    cause = error.cause if isinstance(error, SealBroken) else "content"
                    log.error("parking.unopened", writer=file.writer, problem=cause)
                unopened += 1
                continue
            if judged.knows(request.id, late=request.late):
                due.append(Parked(request, frame.sealed))
            elif now - request.time > PATIENCE_US:
                lost.append(request.id)
            else:
                whole = False
        return _Read(file, due, lost, unopened, whole and not unopened)

    def _adopt(self, session: Session, due: Sequence[Parked], now: int) -> None:
        known = set(
            session.scalars(select(Held.message_id).where(Held.message_id.in_([one.request.id for one in due])))
        )
        fresh = {one.request.id: one for one in due if one.request.id not in known}
        adopt(session, list(fresh.values()), now, lambda surface: round(self._expires(surface) * 1e6))
        for request, _ in fresh.values():
            older = _older(session, self._seal(), request)
            if older is not None:
                held.supersede(session, older.message_id, request.id, now)

    async def _run(self) -> None:
        pause = EVERY
        while True:
            moved = False
            try:
                moved = await self.step()
                pause = EVERY
            except DatabaseUnavailable:  # told by the database itself; nothing is lost
                pause = min(pause * 2, LONGEST_PAUSE)
            except Exception:  # of disk or database: what is not committed is read again
                if pause == EVERY:  # once for each outage
                    log.error("intake.failed", exc_info=True)
                pause = min(pause * 2, LONGEST_PAUSE)
            if not moved:
                with contextlib.suppress(TimeoutError):
                    await asyncio.sleep(pause)


def adopt(session: Session, parked: Sequence[Parked], now: int, expires_us: Callable[[str], int]) -> None:
    """Messages that are held from now on, each with its case; both expire so many microseconds after it came (by its
    surface)."""
    openings = []
    for request, _ in parked:
        openings.append(
            cases.NewCase(
                request.id, request.route, request.room, request.sender, due_at=request.time,
                expires_at=request.time + expires_us(request.surface), category=category_of(request),
                reason=request.reason, ground=request.ground, fingerprint=request.fingerprint.hex(),
                hits=hits_of(request),
            )
        )  # fmt: skip
    numbers = cases.open_many(session, openings, now=now)
    rows = [
        Held(
            message_id=request.id, case_id=numbers[request.id], route=request.route, surface=request.surface,
            room=request.room, sender=request.sender, weak=request.weak, edit=request.edit, reason=request.reason,
            fingerprint=request.fingerprint.hex(), at=request.time, expires_at=opening.expires_at,
            state=held_states.HELD, changed_at=now, size=len(sealed), sealed=sealed, incident=incident_of(request),
        )
        for (request, sealed), opening in zip(parked, openings, strict=True)
    ]  # fmt: skip
    held.parked(session, rows)


def hits_of(request: ParkedRequest) -> frozenset[cases.ListWord]:
    """The words of lists that were found in it. Urgent words are of no list."""
    return frozenset(
        cases.ListWord(str(finding["list"]), int(finding["word"]))
        for finding in request.findings
        if finding.get("check") == "keywords" and "list" in finding and "word" in finding
    )


def category_of(request: ParkedRequest) -> str:
    """The gravest that was found: two people decide on some, and on call somebody may be called for it. The finding
    that leads may have none: that every message is held."""
    found = [finding for finding in request.findings if finding.get("category")]
    gravest = max(found, key=lambda finding: int(finding.get("severity", 0)), default=None)
    return str(gravest["category"]) if gravest is not None else ""


def incident_of(request: ParkedRequest) -> int:
    """The incident that alone holds a message, which would have passed; 0 where something else does."""
    if request.reason != HELD:
        return 0
    found = next((finding for finding in request.findings if finding.get("reason") == HELD), None)
    return int(found.get("detail", {}).get("incident", 0)) if found is not None else 0


def _older(session: Session, seal: Seal | None, request: ParkedRequest) -> Held | None:
    """The message in whose place its sender sent this one: it waits still, in the same place, or something that took
    its place does."""
    named = dict(request.headers).get(SUPERSEDES.decode(), "")
    if not named or request.socket or seal is None:
        return None
    row = session.get(Held, named_by(seal, named))
    if row is not None and row.state == held_states.SUPERSEDED:
        follows = (Held.case_id == row.case_id) & Held.state.in_((held_states.HELD, held_states.APPROVED))
        row = session.scalar(select(Held).where(follows))
    if row is None or held_states.after(row.state, "supersede") is None:
        return None
    same = (row.route, row.room, row.sender) == (request.route, request.room, request.sender)
    return row if same and row.message_id != request.id else None


class _Judged:
    """Which messages the journal has a judged record of, or the outcome ``held``: it follows the parking within a turn,
    so that it mostly stands at the end of its writer's journal, which is read once for all files of a look."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[Path, tuple[set[bytes], set[bytes]]] = {}

    def knows(self, message_id: str, *, late: bool = False) -> bool:
        """``late``: whether it was held while its delay ran."""
        try:
            told = ids.parse(message_id)
        except ValueError:
            return False
        folder = self._root / f"node-{told.node}" / str(told.worker)
        known = self._known.get(folder)
        if known is None:
            known = self._known[folder] = _newest(folder)
        if message_id.encode() in known[late]:
            return True
        history = lookup.find(self._root, message_id)
        return history is not None and (not late or history.state == held_states.HELD)


def _newest(folder: Path) -> tuple[set[bytes], set[bytes]]:
    """Judged, and held."""
    found: tuple[set[bytes], set[bytes]] = (set(), set())
    left = TAIL
    for segment in reversed(segments(folder)):
        try:
            with segment.path.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(max(0, size - left))
                end = file.read(left)
                for known, pattern in zip(found, (_JUDGED, _HELD), strict=True):
                    known.update(pattern.findall(end))
        except FileNotFoundError:
            continue
        left -= size
        if left <= 0:
            break
    return found
