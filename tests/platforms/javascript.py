"""Published clients and platforms in JavaScript: their programs are in ``programs/javascript``, their needs in locks.

A program is run in a folder of its own, with ``node_modules`` beside it: nothing is fetched, and nothing else is found.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from rig.ports import free_port
from tests.e2e.node import Node
from tests.platforms import install
from tests.platforms.acts import Told
from tests.platforms.program import Client, Program

PROGRAMS: Final = Path(__file__).parent / "programs" / "javascript"


def laid(lock: str, folder: Path) -> Path:
    """The folder of the programs, with what ``lock`` names."""
    place = folder / "javascript"
    shutil.copytree(PROGRAMS, place)
    (place / "node_modules").symlink_to(install.node(lock) / "node_modules")
    return place


@asynccontextmanager
async def server(name: str, programs: Path, port: int, url: str) -> AsyncIterator[None]:
    """The platform ``servers/NAME``, at a port of loopback. ``url``: what it answers once it is there."""
    folder = programs.parent
    argv = ["node", programs / "servers" / name, str(port)]
    program = Program(name, argv, folder, f"http://127.0.0.1:{port}{url}", {"TMPDIR": str(folder)})
    await program.start()
    try:
        yield
    finally:
        await program.stop()


Behind = Callable[[Path, int], AbstractAsyncContextManager[Node]]
"""A gate, from its folder and the platform's port."""


def fixtures(name: str, behind: Behind, *, lock: str = "protocols", url: str = "/") -> tuple[Any, Any]:
    """A module's own ``programs``, laid for ``lock``, and ``node``, with the platform ``servers/NAME`` behind it."""

    @pytest_asyncio.fixture(scope="module", loop_scope="module")
    async def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
        return laid(lock, tmp_path_factory.mktemp(lock))

    @pytest_asyncio.fixture(scope="module", loop_scope="module")
    async def node(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Node]:
        port = free_port()
        async with server(name, programs, port, url), behind(tmp_path_factory.mktemp("gate"), port) as made:
            yield made

    return programs, node


class Failed(Exception):
    """What a client library made of a refusal: ``told`` is all that it says of it."""

    def __init__(self, told: dict[str, Any]) -> None:
        super().__init__(told["message"])
        self.told = told


class Person:
    """Somebody at a client: a process with the published library. ``sender``: by what name the journal knows them."""

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.name = name
        self.sender = name

    async def ask(self, call: str, **given: Any) -> Any:
        """What an act of the program gives; ``Failed`` where the library reports an error."""
        answer = await self.client.call(call, **given)
        if "failed" in answer:
            raise Failed(answer["failed"])
        return answer["value"]

    async def told(self, call: str, **given: Any) -> Told:
        """The same for acts that write. An answer that is no success has to be an error of the library's."""
        try:
            value = await self.ask(call, **given)
        except Failed as failed:
            return Told(False, failed.told["message"])
        return Told(True, key=self.key(value))

    def key(self, value: Any) -> str:
        """By what the platform knows the message that it took."""
        return str(value["id"])

    async def write(self, text: str) -> Told:
        """A message, where everybody writes."""
        return await self.told("say", text=text)

    async def change(self, key: str, text: str) -> Told:
        """Another text for an own message."""
        return await self.told("edit", id=key, text=text)

    async def read(self) -> list[str]:
        """The texts that are there for all."""
        return [one["text"] for one in await self.ask("history")]

    async def heard(self) -> list[dict[str, Any]]:
        """What the client heard by itself since it was asked last."""
        return list(await self.ask("heard"))

    async def hears(self, **wanted: Any) -> dict[str, Any]:
        """Waits for something that it hears by itself."""
        async with asyncio.timeout(10):
            while True:
                for one in await self.heard():
                    if wanted.items() <= one.items():
                        return one
                await asyncio.sleep(0.02)

    async def known(self) -> bool:
        """Whether the client is still who it was, and the library survived whatever was refused."""
        return not any(one["what"] in LOST for one in await self.heard())


LOST: Final = frozenset(("unhandled", "closed", "error", "channel_error", "disconnected"))
"""What a client hears when it has lost something."""


@asynccontextmanager
async def people(
    programs: Path, client: str, port: int, kind: Callable[[Client, str], Person] = Person, *, address: str = ""
) -> AsyncIterator[Callable[..., Any]]:
    """Gives ``meet(name)``: a client of its own, at ``address`` or at an address that its name has; ends them all."""
    addresses: dict[str, str] = {}
    async with AsyncExitStack() as stack:

        async def meet(name: str) -> Person:
            own = address or addresses.setdefault(name, f"127.0.1.{len(addresses) + 1}")
            argv = ["node", programs / "clients" / client, f"http://127.0.0.1:{port}", own]
            made = await Client(argv, programs.parent).start()
            stack.push_async_callback(made.stop)
            return kind(made, name)

        yield meet
