"""Sessions at the console: opened by a password, read from the database for each request, ended in one transaction.

So whatever ends one (log-out, here or everywhere; another password; a person who is removed) is in force for the next
request, and roles are those that the person has at that moment. The cookie holds 32 random bytes, the database their
SHA-256; what guards forms (``csrf``) follows from the same bytes and is kept nowhere.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from gateway.control.access.roles import Principal, known
from gateway.control.acts.acts import Unit
from gateway.control.acts.ledger import Ledger
from gateway.control.acts.refusal import ControlError
from gateway.control.console.sessions.rows import ConsoleChoice, ConsoleSession
from gateway.control.people import passwords
from gateway.control.people.people import hashed
from gateway.control.people.rows import Password, Person

SEEN_EVERY: Final = 60_000_000
"""µs: to the minute is enough, and a write for each request is not."""
MOST: Final = 10
"""Sessions of one person; the oldest gives way."""


class SessionSettings(NamedTuple):
    """Seconds."""

    idle: float = 1800.0
    longest: float = 43200.0


class Choice(NamedTuple):
    """How somebody wants to have it: see ``ConsoleChoice``."""

    language: str = ""
    theme: str = ""
    declined: tuple[str, ...] = ()
    cap: int = 0
    rest: int = 0


class LoggedIn(NamedTuple):
    """Who is there. ``csrf``: what their forms have to say; ``once``: they have to choose a password first;
    ``opened_at`` in µs since the epoch."""

    caller: Principal
    csrf: str
    once: bool
    opened_at: int
    choice: Choice


class ConsoleSessions:
    """``settings`` as they are in force; ``clock`` in nanoseconds since the epoch."""

    def __init__(
        self, ledger: Ledger, settings: Callable[[], SessionSettings], clock: Callable[[], int] = time.time_ns
    ) -> None:
        self._ledger = ledger
        self._settings = settings
        self._clock = clock

    async def password_of(self, name: str) -> str:
        """The hash to compare with; empty where there is none."""
        distrusted = self._ledger.authority.distrusted

        def work(session: Session) -> str:
            held = passwords.of(session, name)
            return held.encoded if held is not None and not _doubted(distrusted, name) else ""

        return await self._ledger.database.read(work)

    async def open(self, name: str, encoded: str) -> str:
        """A session of somebody whose password has just been compared with ``encoded``; its token. Raises
        ``ControlError`` where they have another one by now."""
        token = secrets.token_urlsafe(32)

        def work(unit: Unit) -> None:
            session, now = unit.session, self._now()
            held = passwords.of(session, name)
            if held is None or not hmac.compare_digest(held.encoded, encoded):
                raise unknown_session()
            at = max(now, held.set_at)
            ends_at = at + round(self._settings().longest * 1e6)
            session.execute(delete(ConsoleSession).where(ConsoleSession.ends_at <= now))
            older = session.scalars(
                select(ConsoleSession).where(ConsoleSession.person == name).order_by(ConsoleSession.opened_at.desc())
            ).all()
            for row in older[MOST - 1 :]:
                session.delete(row)
            session.add(ConsoleSession(digest=hashed(token), person=name, opened_at=at, seen_at=at, ends_at=ends_at))

        await self._ledger.act(name, "logged in at the console", "console.login", f"person:{name}", work, settle=False)
        return token

    async def known(self, token: str, *, quiet: bool = False) -> LoggedIn | None:
        """Whose session it is; None where it is none, or none any more. ``quiet``: a page asked by itself, which keeps
        nobody logged in."""
        digest, distrusted = hashed(token), self._ledger.authority.distrusted

        def work(session: Session) -> tuple[LoggedIn, int] | None:
            found = self._live(session, digest)
            if found is None or _doubted(distrusted, found[0].person):
                return None
            row, person, held = found
            caller = Principal(person.name, known(person.roles), digest=digest)
            choice = choice_of(session, person.name)
            return LoggedIn(caller, csrf_of(token), held.once, row.opened_at, choice), row.seen_at

        told = await self._ledger.database.read(work)
        if told is None:
            return None
        if not quiet and self._now() - told[1] >= SEEN_EVERY:
            await self._ledger.database.run(lambda session: self._seen(session, digest))
        return told[0]

    def anew(self, session: Session, caller: Principal) -> Principal:
        """The same caller as the database knows them within a transaction. Raises ``ControlError`` where the session
        has ended."""
        found = self._live(session, caller.digest)
        if found is None:
            raise unknown_session()
        return Principal(found[1].name, known(found[1].roles), digest=caller.digest)

    async def end(self, caller: Principal) -> None:
        """This one."""

        def work(unit: Unit) -> None:
            unit.session.execute(delete(ConsoleSession).where(ConsoleSession.digest == caller.digest))

        name = caller.person
        await self._ledger.act(name, "logged out", "console.logout", f"person:{name}", work, settle=False)

    def _live(self, session: Session, digest: str) -> tuple[ConsoleSession, Person, Password] | None:
        row, now = session.get(ConsoleSession, digest), self._now()
        if row is None or row.ends_at <= now or row.seen_at + round(self._settings().idle * 1e6) <= now:
            return None
        person, held = session.get(Person, row.person), passwords.of(session, row.person)
        if person is None or held is None or row.opened_at < held.set_at:
            return None
        return row, person, held

    def _seen(self, session: Session, digest: str) -> None:
        row = session.get(ConsoleSession, digest)
        if row is not None:
            row.seen_at = max(row.seen_at, self._now())

    def _now(self) -> int:
        return self._clock() // 1000


def ended_all(session: Session, name: str) -> int:
    """Every session of somebody has ended; how many there were."""
    rows = session.scalars(select(ConsoleSession).where(ConsoleSession.person == name)).all()
    for row in rows:
        session.delete(row)
    return len(rows)


def prune(session: Session, before: int) -> int:
    """Sessions that ended before a time, some of them; how many."""
    rows = session.scalars(select(ConsoleSession).where(ConsoleSession.ends_at < before).limit(500)).all()
    for row in rows:
        session.delete(row)
    return len(rows)


def choice_of(session: Session, name: str) -> Choice:
    row = session.get(ConsoleChoice, name)
    return Choice(row.language, row.theme, tuple(row.declined), row.cap, row.rest) if row is not None else Choice()


def csrf_of(token: str) -> str:
    """What the forms of a session say: nobody knows it who does not know the cookie."""
    return hmac.new(token.encode("utf-8", "surrogateescape"), b"csrf", hashlib.sha256).hexdigest()


def unknown_session() -> ControlError:
    return ControlError(401, "console.session_ended", "Log in: this session has ended.")


def _doubted(distrusted: frozenset[tuple[str, object]], name: str) -> bool:
    """The database lacks acts that have changed this person, or their password."""
    return bool({(Person.__tablename__, name), (Password.__tablename__, name)} & distrusted)
