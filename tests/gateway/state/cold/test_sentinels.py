"""Which primary counts where sentinels disagree, hang, are gone, or let little be asked."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis.exceptions import NoPermissionError

from gateway.state.cold import sentinels
from gateway.state.cold.sentinels import Sentinels
from gateway.state.model.settings import Address


class Told:
    """A sentinel that names ``port``, at a configuration epoch; None: it may not be asked for that."""

    def __init__(self, port: int, epoch: int | None = 0, *, hangs: bool = False, knows: bool = True) -> None:
        self.port = port
        self.epoch = epoch
        self.hangs = hangs
        self.knows = knows
        self.closed = False

    async def execute_command(self, *words: str) -> Any:
        assert words[0] == "SENTINEL"
        assert words[2] == "main"
        if self.hangs:
            await asyncio.Event().wait()
        if words[1] == "GET-MASTER-ADDR-BY-NAME":
            return [b"10.0.0.1", b"%d" % self.port] if self.knows else None
        assert words[1] == "MASTER"
        if self.epoch is None:
            raise NoPermissionError("NOPERM")
        return [b"name", b"main", b"config-epoch", b"%d" % self.epoch]

    async def aclose(self) -> None:
        self.closed = True


async def named(*told: Any) -> int:
    found = Sentinels(told, "main")
    address = await found.primary()
    assert await found.primaries() == {address}
    await found.close()
    assert all(one.closed for one in told)
    assert address == Address(host="10.0.0.1", port=address.port)
    return address.port


async def test_the_latest_word_counts() -> None:
    assert await named(Told(1, 4), Told(2, 5), Told(1, 4)) == 2


async def test_one_that_hangs_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentinels, "GRACE", 0.01)
    assert await named(Told(9, 9, hangs=True), Told(1, 4)) == 1


async def test_one_that_knows_no_such_service_or_lets_no_epoch_be_asked() -> None:
    assert await named(Told(9, 9, knows=False), Told(1, None)) == 1
    assert await named(Told(1, None), Told(2, 1)) == 2


async def test_nobody_knows() -> None:
    with pytest.raises(ConnectionError, match=r"no sentinel names a primary \(LookupError\)"):
        await Sentinels([Told(1, knows=False)], "main").primary()  # type: ignore[list-item]
