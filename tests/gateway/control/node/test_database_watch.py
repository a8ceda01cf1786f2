"""A database is looked at before it is used, and again whenever its connection is another one."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from gateway.control.acts.database import Database
from gateway.control.acts.refusal import DatabaseUnavailable
from gateway.control.node.database_watch import DatabaseWatch
from gateway.node.folder_number import OtherNumber
from gateway.state.cold.owner import NotOurs, StateOwner


class Server:
    """Is away where it is told to be; each connection is a life."""

    def __init__(self) -> None:
        self.lives = 0
        self.problem = ""
        self.away = True
        self.taken = False

    async def opened(self) -> None:
        await self.ping()

    async def ping(self) -> None:
        if self.taken:
            raise OtherNumber("taken")
        if self.away:
            self.problem = "is away"
            raise DatabaseUnavailable(self.problem)
        self.lives += self.lives == 0 or bool(self.problem)
        self.problem = ""


class Watched:
    def __init__(self) -> None:
        self.server = Server()
        self.looks = 0
        self.fails: list[Exception] = []
        self.watch = DatabaseWatch(cast(Database, self.server), self.come_up, self.server.ping)

    async def come_up(self) -> None:
        self.looks += 1
        if self.fails:
            raise self.fails.pop()


async def up(watched: Watched) -> float:
    series: Any = await watched.watch.series()
    return float(series["tidegate_database_up"][()])


async def test_it_comes_up_with_its_database_and_looks_once_a_life() -> None:
    watched = Watched()
    await watched.watch.look()
    assert (watched.looks, await up(watched)) == (0, 0)
    with pytest.raises(DatabaseUnavailable, match="is away"):
        watched.watch.admit()
    watched.server.away = False
    await watched.watch.look()
    await watched.watch.look()
    assert (watched.looks, await up(watched)) == (1, 1)
    watched.watch.admit()
    watched.server.away = True
    await watched.watch.look()
    assert (watched.looks, await up(watched)) == (1, 0)
    watched.watch.admit()  # who asks is known; what is asked says that it is away
    watched.server.away = False
    await watched.watch.look()
    assert (watched.looks, await up(watched)) == (2, 1)


async def test_a_look_that_fails_is_done_again() -> None:
    watched = Watched()
    watched.server.away = False
    watched.fails.append(DatabaseUnavailable("went away again"))
    await watched.watch.look()
    assert not watched.watch.up
    await watched.watch.look()
    assert (watched.looks, watched.watch.up) == (2, True)


async def test_two_who_need_it_look_once() -> None:
    watched = Watched()
    watched.server.away = False
    await asyncio.gather(*(watched.watch.revive() for _ in range(5)))
    assert watched.looks == 1


async def test_a_state_that_is_another_ones_ends_it() -> None:
    watched = Watched()
    watched.server.away = False
    watched.fails.append(NotOurs(StateOwner("other"), "ours"))
    await watched.watch.look()
    assert isinstance(watched.watch.fatal, NotOurs)
    assert watched.watch.ended.is_set()


async def test_a_number_that_is_another_ones_ends_it_at_whatever_look() -> None:
    watched = Watched()
    watched.server.away = False
    await watched.watch.look()
    assert watched.watch.up
    watched.server.taken = True
    await watched.watch.look()
    assert isinstance(watched.watch.fatal, OtherNumber)
    assert watched.watch.ended.is_set()
