"""The projector's process: it follows the journal, keeps the mirror, and says how far it came.

The loop beats, answers commands and writes the page records; reading, rendering and files are a thread's work, one turn
at a time. Whatever a turn meets (a full disk, a folder that was deleted, a damaged file), the heartbeat goes on and the
watermark stands still: the workers refuse new bullets until it moves again (law 6).
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import Any

import structlog

from gateway.common import channel
from gateway.common.folders import Folders
from gateway.config import Config
from gateway.config.sections.mirror import Mirror
from gateway.generation import conversion, generation
from gateway.journal.read.reader import Flaw
from gateway.journal.write.errors import JournalUnavailable
from gateway.journal.write.ids import PROJECTOR, Ids
from gateway.journal.write.writer import Writer
from gateway.mirror.pages.names import room_path
from gateway.mirror.pages.pages import Pages
from gateway.mirror.projector.bullet_projection import BulletProjection, PagesDiffer, opened
from gateway.mirror.projector.page_making import PageMaking
from gateway.mirror.projector.platform_client import PlatformClient
from gateway.mirror.projector.probing import Probing
from gateway.mirror.projector.projector_metrics import ProjectorMetrics
from gateway.mirror.projector.purge import Purger
from gateway.mirror.store import folder
from gateway.mirror.store.guarding import Guarding
from gateway.mirror.store.pulse import Pulse
from gateway.mirror.store.sealed import Damaged
from gateway.mirror.upkeep.rebuild import rebuild

log = structlog.get_logger("mirror")

TURN_EVERY = 0.8  # seconds between two turns; a bullet is on its page within two seconds
RECORDS_AT_ONCE = 64  # page records that wait for one write
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0  # seconds between two rebuilds, where one does not help
HEALED_FOR = 3600.0  # seconds in which pages that differ from another node's are not made anew once more
TOLD_EVERY = 30.0  # seconds between two lines about the same failure


def own_folder(config: Config) -> str:
    """The journal folder with this node's page records."""
    return f"node-{config.server.node}/{PROJECTOR}"


def guarding(config: Config) -> Guarding:
    """Which rooms only some may read."""
    mirrored = [route for route in config.routes if route.mirrored]
    guards = frozenset(route.name for route in mirrored if route.access)
    return Guarding(guards, frozenset(route.name for route in mirrored))


def without_bullets(config: Config) -> frozenset[str]:
    """Routes that carry no bullets: what is removed there was on no page."""
    return frozenset(route.name for route in config.routes if not route.mirrored)


class Projector:
    """``run`` until ``stop`` is set."""

    def __init__(self, folders: Folders, stop: asyncio.Event) -> None:
        self.metrics = ProjectorMetrics()
        self._folders = folders
        self._stop = stop
        self._generation = generation.load(folders, folders.current())
        self._ids = Ids(self._config.server.node, PROJECTOR)
        self._pulse = Pulse(folders.pulse)
        self._projection: BulletProjection | None = None
        self._mark: folder.FolderIdentity | None = None
        self._settings: tuple[Any, ...] = ()
        self._turning = asyncio.Lock()
        self._problem = ""
        self._told_at = 0.0
        self._remake_at = self._remake_pause = 0.0
        self._heal_at = 0.0
        self._making = PageMaking(folders.replicator_socket, lambda: self._config)
        self._purger: Purger | None = None
        self._retired: asyncio.Task[None] | None = None
        self.metrics.gauge("tidegate_mirror_waiting", lambda: self._count(lambda p: p.intake.waiting))
        self.metrics.gauge("tidegate_mirror_rooms", lambda: self._count(lambda p: p.held[0]))

    async def run(self) -> None:
        """Follow the journal. Raises OSError where the command socket cannot be made."""
        loop = asyncio.get_running_loop()
        config = self._config
        async with AsyncExitStack() as stack:
            self._writer = writer = Writer(
                self._folders.journal(config), f"node-{config.server.node}", PROJECTOR,
                ids=self._ids, settings=conversion.journal(config.journal), loop=loop,
            )  # fmt: skip
            writer.start()
            stack.callback(writer.close)
            stack.callback(self._pulse.close)
            client = await stack.enter_async_context(PlatformClient())
            stack.push_async_callback(self._stop_purging)
            commands = await channel.serve(
                self._folders.projector_socket,
                {"status": self._on_status, "counters": lambda _: self.metrics.told(), "adopt": self._on_adopt},
            )
            stack.push_async_callback(commands.close)
            probing = Probing(client, lambda: self._config, self._latest, self.metrics.probes)
            tasks = [
                asyncio.create_task(self._beat(), name="mirror heartbeat"),
                asyncio.create_task(probing.run(), name="mirror probes"),
            ]
            for task in tasks:
                stack.push_async_callback(_cancel, task)
            log.info("mirror.following", generation=self._generation.number)
            await self._follow(client)

    @property
    def _config(self) -> Config:
        return self._generation.config

    async def _follow(self, client: PlatformClient) -> None:
        stopping = asyncio.create_task(self._stop.wait())
        while not self._stop.is_set():
            began = time.monotonic()
            async with self._turning:
                self._refresh(client)
                done = await self._turn()
            if done and self._projection is not None and not self._projection.caught_up:
                continue  # there is more to read
            await asyncio.wait([stopping], timeout=max(0.05, TURN_EVERY - (time.monotonic() - began)))

    # -- one turn

    async def _turn(self) -> bool:
        """Whether the turn came to its end. What fails is told, counted and tried again."""
        mirror = self._config.mirror
        if mirror is None:
            self._beat_now(time.monotonic())  # no danmaku route, so nothing can be behind
            return True
        if not self._writer.available:
            # Also while another projector still lives: it holds the journal folder, and the mirror with it.
            self._fail("journal")
            return False
        try:
            await self._open(mirror)
            await self._project()
        except Damaged as error:
            if isinstance(error, PagesDiffer):
                self._heal_at = time.monotonic() + HEALED_FOR
            self._fail("damaged", str(error))
            await self._remake()
            return False
        except JournalUnavailable as error:
            self._fail(error.reason)
            return False
        except OSError as error:
            self._fail("disk", error.strerror or type(error).__name__)
            if self._mark is not None and self._mark.gone():
                await self._remake()
            return False
        except Exception:  # a fault of ours must not be a process that dies again and again: it says so, and is behind
            if self._fail("fault"):
                log.error("mirror.fault", exc_info=True)
            self._projection = None
            return False
        self._remake_at = self._remake_pause = 0.0
        if self._problem:
            self._problem = ""
            log.info("mirror.well_again")
        return True

    async def _open(self, mirror: Mirror) -> None:
        root = self._folders.mirror(self._config)
        others, guards = without_bullets(self._config), guarding(self._config)
        settings = (root, mirror.page_size, mirror.language, mirror.path, others, guards)
        if self._projection is not None and self._mark is not None and self._mark.gone():
            self._projection = None
            raise Damaged("the mirror's folder was deleted or replaced")
        if self._projection is not None and self._settings == settings:
            return
        if self._projection is not None and self._projection.unwritten:
            return  # first what the present one still has to write
        self._projection = None
        self._projection = await asyncio.to_thread(
            partial(
                opened,
                root,
                self._folders.journal(self._config),
                own_folder(self._config),
                pages=Pages(mirror.language, mirror.path),
                page_size=mirror.page_size,
                on_flaw=self._on_flaw,
                others=others,
                guarding=guards,
                durable=self._config.journal.fsync != "no",
            )
        )
        self._mark = folder.FolderIdentity(root)
        self._settings = settings

    async def _project(self) -> None:
        projection = self._projection
        assert projection is not None
        await self._making.look()
        projection.makes, projection.current = self._making.makes, self._making.current
        projection.heals = time.monotonic() >= self._heal_at
        before = (projection.bullets, projection.pages_closed, projection.intake.twice + projection.missing)
        await asyncio.to_thread(projection.read)
        proposed = projection.propose(self._ids)
        for at in range(0, len(proposed), RECORDS_AT_ONCE):
            batch = proposed[at : at + RECORDS_AT_ONCE]
            projection.close(batch[: await self._record([record for _, _, record in batch])])
        await asyncio.to_thread(projection.write)
        self._beat_now(projection.watermark)
        self.metrics.bullets.add(n=projection.bullets - before[0])
        self.metrics.pages.add(n=projection.pages_closed - before[1])
        twice = projection.intake.twice + projection.missing - before[2]
        if twice:
            self.metrics.twice.add(n=twice)
            log.error("mirror.twice", count=twice)
        self._purge(projection)

    async def _record(self, records: list[dict[str, Any]]) -> int:
        """How many are written, once it is known of all; JournalUnavailable where none is. A batch fails as one, so
        those that are written come first, and what they say counts."""
        known: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        answers: list[JournalUnavailable | None] = []

        def one(error: JournalUnavailable | None = None) -> None:
            answers.append(error)
            if len(answers) == len(records) and not known.done():
                known.set_result(None)

        for record in records:
            self._writer.append(record, one, one)
        await known
        written = answers.count(None)
        for error in answers[:1]:
            if error is not None:
                raise error
        return written

    async def _remake(self) -> None:
        """Make the mirror anew, because what is there cannot be gone on with."""
        mirror = self._config.mirror
        assert mirror is not None
        self._projection = None
        now = time.monotonic()
        if now < self._remake_at:
            return  # it was made anew just now, and that did not help
        self._remake_pause = min(2 * self._remake_pause or FIRST_PAUSE, LONGEST_PAUSE)
        self._remake_at = now + self._remake_pause
        self.metrics.rebuilds.add()
        root = self._folders.mirror(self._config)
        log.warning("mirror.rebuilding")
        try:
            made = await asyncio.to_thread(
                partial(
                    rebuild,
                    root,
                    self._folders.journal(self._config),
                    own_folder(self._config),
                    pages=Pages(mirror.language, mirror.path),
                    others=without_bullets(self._config),
                    guarding=guarding(self._config),
                    on_flaw=self._on_flaw,
                )
            )
            await asyncio.to_thread(folder.swap, root, made)
        except (OSError, sqlite3.Error) as error:
            self._fail("disk", getattr(error, "strerror", "") or type(error).__name__)
            return
        log.info("mirror.rebuilt")

    # -- what others see

    async def _beat(self) -> None:
        while True:
            self._beat_now(None)
            await asyncio.sleep(self._config.mirror.heartbeat if self._config.mirror is not None else 0.5)

    def _beat_now(self, watermark: float | None) -> None:
        try:
            self._pulse.write(watermark)
        except OSError as error:
            self._fail("pulse", error.strerror or type(error).__name__)

    def _fail(self, cause: str, detail: str = "") -> bool:
        """Count a failure, and tell of it now and then; whether it was told."""
        self.metrics.failures.add((cause,))
        now = time.monotonic()
        told = cause != self._problem or now - self._told_at >= TOLD_EVERY
        if told:
            log.error("mirror.behind", cause=cause, detail=detail)
            self._told_at = now
        self._problem = cause
        return told

    def _on_flaw(self, flaw: Flaw) -> None:
        self.metrics.flaws.add()
        log.error("mirror.journal_flaw", folder=flaw.folder, segment=flaw.segment, offset=flaw.offset, code=flaw.code)

    def _count(self, read: Any) -> float:
        return float(read(self._projection)) if self._projection is not None else 0.0

    def _latest(self, route: str) -> tuple[str, bool] | None:
        """The room of a route that had a bullet last, and whether its list has any."""
        projection = self._projection
        return projection.latest(route) if projection is not None else None

    def _on_status(self, request: dict[str, Any]) -> dict[str, Any]:
        return {
            "ok": True,
            "pid": os.getpid(),
            "generation": self._generation.number,
            "watermark": self._pulse.watermark,
            "problem": self._problem,
        }

    async def _on_adopt(self, request: dict[str, Any]) -> dict[str, Any]:
        """Go on with the mirror that ``mirror rebuild`` made beside ours."""
        root = self._folders.mirror(self._config)
        made = folder.rebuilt_beside(root)
        async with self._turning:
            if not made.is_dir():
                return {"ok": False, "error": "there is no rebuilt mirror"}
            self._projection = None
            await asyncio.to_thread(folder.swap, root, made)
        log.info("mirror.adopted")
        return {"ok": True}

    # -- settings

    def _refresh(self, client: PlatformClient) -> None:
        """Take up the generation in force, and what it says of purges."""
        number = self._folders.current()
        if number != self._generation.number:
            self._generation = generation.load(self._folders, number)
        mirror = self._config.mirror
        address = mirror.purge if mirror is not None else ""
        if self._purger is not None and self._purger.address != address:
            self._retired = asyncio.create_task(self._purger.stop())
            self._purger = None
        if self._purger is None and mirror is not None and address:
            token = mirror.purge_token.get_secret_value()
            self._purger = Purger(address, token, lambda result: self.metrics.purges.add((result,)), client.post)
            self._purger.start()

    def _purge(self, projection: BulletProjection) -> None:
        changed, projection.changed = projection.changed, []
        mirror = self._config.mirror
        if self._purger is None or mirror is None:
            return
        for room, number in changed:
            base = room_path(mirror.path, room)
            names = ("", "fragment", "index.html", "index.json") if not number else (f"{number}.html", f"{number}.json")
            for name in names:
                self._purger.add(base + name)

    async def _stop_purging(self) -> None:
        if self._purger is not None:
            await self._purger.stop()


async def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
