"""A platform's own process on loopback, and programs that drive a platform's own client library."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp

START_WITHIN = 120.0  # seconds


class Program:
    """A server. It is ready once ``url`` answers with anything below 500. What it says goes to ``folder/NAME.log``."""

    def __init__(
        self, name: str, argv: Sequence[str | Path], folder: Path, url: str, env: Mapping[str, str] | None = None
    ) -> None:
        self._argv = [str(word) for word in argv]
        self._folder = folder
        self._log = folder / f"{name}.log"
        self._url = url
        self._env = {**os.environ, **(env or {})}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> Program:
        """Start, and wait until it answers. RuntimeError with what it said, where it ends or does not."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._argv, cwd=self._folder, env=self._env, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        async with aiohttp.ClientSession() as session:
            with suppress(TimeoutError):
                async with asyncio.timeout(START_WITHIN):
                    while self._process.returncode is None:
                        with suppress(aiohttp.ClientError):
                            async with session.get(self._url, allow_redirects=False) as answer:
                                if answer.status < 500:
                                    return self
                        await asyncio.sleep(0.05)
        await self.stop()
        raise RuntimeError(f"{self._url} does not answer: {self.told()}")

    async def stop(self) -> None:
        """SIGTERM to all of it, SIGKILL where that is not enough."""
        process = self._process
        if process is None:
            return
        for sent, within in ((signal.SIGTERM, 20), (signal.SIGKILL, 20)):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGCONT)
                os.killpg(process.pid, sent)
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), within)
                return

    def pause(self) -> None:
        """It is there, and does nothing more."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """It goes on."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGCONT)

    def told(self) -> str:
        """The end of what it said."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-4000:]


class Client:
    """A program that reads ``{"call": NAME, …}`` a line and answers each with ``{"answer": …}`` or ``{"error": …}``."""

    def __init__(self, argv: Sequence[str | Path], folder: Path, env: Mapping[str, str] | None = None) -> None:
        self._argv = [str(word) for word in argv]
        self._folder = folder
        self._env = {**os.environ, **(env or {})}
        self._one = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> Client:
        """Start; nothing is waited for."""
        with (self._folder / "client.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._argv, cwd=self._folder, env=self._env, stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE, stderr=log, limit=1 << 24, start_new_session=True,
            )  # fmt: skip
        return self

    async def call(self, name: str, /, **arguments: Any) -> Any:
        """What it answers; RuntimeError for an error, or where it has ended."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        async with self._one:
            process.stdin.write(json.dumps({"call": name, **arguments}).encode() + b"\n")
            line = await asyncio.wait_for(process.stdout.readline(), 60)
        answer = json.loads(line or b'{"error": "it has ended"}')
        if "error" in answer:
            raise RuntimeError(f"{name}: {answer['error']}")
        return answer["answer"]

    async def stop(self) -> None:
        """Its standard input is closed, which ends it."""
        process = self._process
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        process._transport.close()  # type: ignore[attr-defined]
