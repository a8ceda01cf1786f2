"""State servers that fail over: a primary with its replica under a sentinel, and a cluster one of whose primaries has
one. Both know the gateway by the rights that deploy/valkey gives it, and no more than docs/state-server.md adds."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.state.cold.embedded import binary
from gateway.state.model.keys import slot_of
from rig.ports import free_port, free_ports

ACL = Path(__file__).parents[3] / "deploy" / "valkey" / "users.acl"
SERVICE = "main"
PASSWORD = "sesame"
PROMOTED_WITHIN = 60.0  # seconds
OTHERS = f"""
user root on >{PASSWORD} ~* &* +@all
user follower on >{PASSWORD} +psync +replconf +ping
user watcher on >{PASSWORD} allchannels -@all +multi +slaveof +ping +exec +subscribe +config|rewrite +role +publish \
+info +client|setname +client|kill +script|kill
"""
SENTINEL = """
port {port}
bind 127.0.0.1
user default off
user root on >{password} ~* &* +@all
user gate on >{password} -@all +sentinel|get-master-addr-by-name +sentinel|master
sentinel monitor {service} 127.0.0.1 {primary} 1
sentinel auth-user {service} watcher
sentinel auth-pass {service} {password}
sentinel down-after-milliseconds {service} 500
sentinel failover-timeout {service} 3000
"""


async def until(true: Callable[[], Awaitable[Any]], within: float = PROMOTED_WITHIN) -> None:
    """Ask until it is true; a server that does not answer is not yet."""
    async with asyncio.timeout(within):
        while True:
            try:
                if await true():
                    return
            except (RedisError, OSError):
                pass
            await asyncio.sleep(0.01)


class StateProcess:
    """A server on a port of its own, in a folder of its own."""

    def __init__(self, folder: Path, port: int, *argv: str) -> None:
        self.port = port
        self._folder = folder
        self._argv = argv
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *more: str) -> None:
        self._process = subprocess.Popen([*self._argv, *more], stdout=subprocess.DEVNULL, cwd=self._folder)

    def stop(self) -> None:
        """It hangs: it holds its connections, and answers nobody."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    async def ask(self, *command: str | int, user: str = "root") -> Any:
        client = Redis(
            port=self.port, username=user, password=PASSWORD, protocol=2, socket_timeout=2.0,
            retry=Retry(NoBackoff(), 0),
        )  # fmt: skip
        try:
            return await client.execute_command(*command)  # type: ignore[no-untyped-call]
        finally:
            await client.aclose()

    async def role(self) -> str:
        return str((await self.ask("ROLE"))[0].decode())

    async def replicas(self) -> int:
        """Those that follow and have caught up."""
        return len((await self.ask("ROLE"))[2])

    async def follows(self) -> bool:
        told = await self.ask("ROLE")
        return bool(told[0] == b"slave" and told[3] == b"connected")


class Pair(ABC):
    """A primary and its replica, which change places. ``toml``: what ``[state]`` says."""

    toml = ""

    def __init__(self) -> None:
        self.primary: StateProcess
        self.replica: StateProcess

    def names(self, count: int) -> list[str]:
        """Senders whose governance data lie here."""
        return [f"u{number}" for number in range(count)]

    async def cut(self) -> None:
        """What is written from now on does not reach the replica."""
        await self.primary.ask("ACL", "SETUSER", "follower", "off")
        await self.primary.ask("CLIENT", "KILL", "TYPE", "replica")

    async def change_places(self) -> None:
        """The primary is dead, or hangs; returns when the replica takes writes, and those who watch say so."""
        self.primary, self.replica = self.replica, self.primary
        await until(self.told)

    @abstractmethod
    async def start(self) -> None:
        """Both, and those who watch them."""

    @abstractmethod
    async def told(self) -> bool:
        """Whether those who watch name the primary that there is now."""

    @abstractmethod
    async def mend(self) -> None:
        """The one that died follows the other, and may take its place again."""

    @abstractmethod
    def close(self) -> None:
        """End every process of it."""


P = TypeVar("P", bound=Pair)


@asynccontextmanager
async def standing(pair: P) -> AsyncIterator[P]:
    """The pair, up; and gone with all its processes."""
    try:
        await pair.start()
        yield pair
    finally:
        pair.close()


def users(folder: Path, more: str, without: tuple[str, ...] = ()) -> Path:
    text = ACL.read_text(encoding="utf-8").replace("CHANGE-ME", PASSWORD)
    gateway = " ".join(word for word in text.split() if word not in without)
    file = folder / "users.acl"
    lines = gateway.replace("user tidegate", "\nuser tidegate").strip()
    file.write_text(f"{lines} {more}\n{OTHERS.strip()}\n", encoding="utf-8")
    return file


class SentinelPair(Pair):
    """Debian's redis-server: the packaged Valkey has no sentinel that operators would run."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        program = shutil.which("redis-server")
        assert program is not None, "tools/debian-packages test installs redis-server"
        self._program = program
        made = []
        for number in range(2):
            own = folder / f"s{number}"
            own.mkdir()
            port = free_port()
            file = users(own, "+wait", ("+msetex", "+client|setinfo"))
            made.append(
                StateProcess(
                    own, port, program, "--port", str(port), "--bind", "127.0.0.1", "--save", "",
                    "--aclfile", str(file), "--masteruser", "follower", "--masterauth", PASSWORD,
                    "--repl-diskless-sync-delay", "0", "--repl-diskless-load", "swapdb",
                )
            )  # fmt: skip
        self.primary, self.replica = made
        self.sentinel = StateProcess(folder, free_port(), program, str(folder / "sentinel.conf"), "--sentinel")
        self.toml = f"""
username = "tidegate"
password = "{PASSWORD}"
deadline = "5s"
sentinel = {{ servers = ["127.0.0.1:{self.sentinel.port}"], service = "{SERVICE}", username = "gate", \
password = "{PASSWORD}" }}
"""

    async def start(self) -> None:
        self.primary.start()
        self.replica.start("--replicaof", "127.0.0.1", str(self.primary.port))
        await until(self.replica.follows)
        await self._watch()

    async def _watch(self) -> None:
        """A sentinel of its own for each pair of places: an old one takes ten seconds to look at a new replica."""
        text = SENTINEL.format(
            port=self.sentinel.port, password=PASSWORD, service=SERVICE, primary=self.primary.port
        )  # fmt: skip
        (self._folder / "sentinel.conf").write_text(text, encoding="utf-8")
        self.sentinel.start()

        async def known() -> bool:
            rows = await self.sentinel.ask("SENTINEL", "REPLICAS", SERVICE)
            told = [dict(zip(row[::2], row[1::2], strict=True)) for row in rows]
            return [(one[b"flags"], one[b"master-link-status"]) for one in told] == [(b"slave", b"ok")]

        await until(known)

    async def told(self) -> bool:
        where = await self.sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
        return int(where[1]) == self.primary.port and await self.primary.role() == "master"

    async def mend(self) -> None:
        self.sentinel.kill()
        self.replica.kill()
        self.replica.start("--replicaof", "127.0.0.1", str(self.primary.port))
        await until(self.replica.follows)
        await self._watch()

    def close(self) -> None:
        for one in (self.sentinel, self.primary, self.replica):
            one.kill()


class ClusterPair(Pair):
    """Three primaries, of which the first has a replica."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        ports = free_ports(8)
        self.nodes = []
        for number in range(4):
            own = folder / f"c{number}"
            own.mkdir()
            file = users(own, "+wait +cluster|slots +cluster|info +asking +command")
            self.nodes.append(
                StateProcess(
                    own, ports[number], binary(), "--port", str(ports[number]), "--cluster-port",
                    str(ports[number + 4]), "--bind", "127.0.0.1", "--save", "", "--aclfile", str(file),
                    "--masteruser", "follower", "--primaryauth", PASSWORD, "--cluster-enabled", "yes",
                    "--cluster-node-timeout", "500", "--cluster-require-full-coverage", "no",
                    "--repl-diskless-sync-delay", "0", "--repl-diskless-load", "swapdb",
                )
            )  # fmt: skip
        self._buses = ports[4:]
        self.primary, self.replica = self.nodes[0], self.nodes[3]
        self.toml = f"""
url = "redis://127.0.0.1:{self.nodes[1].port}"
topology = "cluster"
username = "tidegate"
password = "{PASSWORD}"
deadline = "5s"
"""

    def names(self, count: int) -> list[str]:
        found: list[str] = []
        number = 0
        while len(found) < count:
            if slot_of(b"u%d" % number) < 5461:
                found.append(f"u{number}")
            number += 1
        return found

    async def start(self) -> None:
        for node in self.nodes:
            node.start()
        for number, (first, last) in enumerate(((0, 5460), (5461, 10922), (10923, 16383))):

            async def answers(node: StateProcess = self.nodes[number]) -> bool:
                return bool(await node.ask("PING"))

            await until(answers)
            await self.nodes[number].ask("CLUSTER", "ADDSLOTSRANGE", first, last)
        for number in range(1, 4):
            await self.nodes[0].ask("CLUSTER", "MEET", "127.0.0.1", self.nodes[number].port, self._buses[number])
        first_id = (await self.nodes[0].ask("CLUSTER", "MYID")).decode()

        async def replicates() -> bool:
            return bool(await self.nodes[3].ask("CLUSTER", "REPLICATE", first_id))

        await until(replicates)
        await self._well()

    async def _well(self) -> None:
        await until(self.replica.follows)

        async def ok(node: StateProcess) -> bool:
            told = await node.ask("CLUSTER", "SLOTS")
            whole = b"cluster_state:ok" in await node.ask("CLUSTER", "INFO")
            mine = next(row for row in told if row[0] == 0)
            return whole and len(told) == 3 and mine[2][1] == self.primary.port and len(mine) == 4

        for node in self.nodes:
            await until(lambda node=node: ok(node))  # type: ignore[misc]

    async def told(self) -> bool:
        rows = await self.nodes[1].ask("CLUSTER", "SLOTS")
        whole = b"cluster_state:ok" in await self.nodes[1].ask("CLUSTER", "INFO")
        named = next(row[2][1] for row in rows if row[0] == 0) == self.primary.port
        return whole and named and await self.primary.role() == "master"

    async def mend(self) -> None:
        self.replica.kill()
        self.replica.start()
        await self._well()

    def close(self) -> None:
        for one in self.nodes:
            one.kill()
