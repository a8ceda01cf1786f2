"""The gateway that most teams would write: aiohttp server and client, redis-py, pyahocorasick, a log line a message.

The same checks as the measured gateway: identity, block, three GCRA limits, keywords on normalised text, repeats,
credit, a record of each message; the same over a WebSocket. ``python -m benchmarks.systems.aiohttp_gateway …`` runs it.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import logging
import subprocess
import sys
import time
import unicodedata
import uuid
from pathlib import Path
from typing import Any, NamedTuple

import ahocorasick
import redis.asyncio
from aiohttp import ClientSession, ClientWebSocketResponse, TCPConnector, WSMsgType, web

from benchmarks.systems import valkey
from benchmarks.systems.system import Checks, Setting
from filters.model.limits import pace, parse_limit
from rig import process, rules
from rig.ports import free_port

GCRA = """
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
for i, key in ipairs(KEYS) do
  local interval, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local tat = math.max(tonumber(redis.call('GET', key) or now), now)
  if tat + interval - now > burst then return i end
end
for i, key in ipairs(KEYS) do
  local interval, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local tat = math.max(tonumber(redis.call('GET', key) or now), now)
  redis.call('SET', key, string.format('%d', tat + interval), 'PX', math.ceil(burst / 1000) + 1)
end
return 0
"""
LIMITS = tuple((limit.scope, pace(limit.quota, limit.period_us)) for limit in map(parse_limit, rules.LIMITS))


class Judged(NamedTuple):
    """``reason``: why not, empty where the message passes. ``label``: the sender's credit is low."""

    identifier: str
    reason: str
    label: bool


class Gateway:
    """One aiohttp application."""

    def __init__(self, upstream: str, state: str, words: Path, log: Path) -> None:
        self.upstream = upstream
        self.redis = redis.asyncio.Redis(unix_socket_path=state, max_connections=256)
        self.gcra = self.redis.register_script(GCRA)
        self.words = ahocorasick.Automaton()
        for word in words.read_text(encoding="utf-8").splitlines():
            self.words.add_word(self.fold(word), word)
        self.words.make_automaton()
        self.log = logging.getLogger("messages")
        self.log.addHandler(logging.FileHandler(log))
        self.log.setLevel(logging.INFO)
        self.log.propagate = False
        self.session: ClientSession | None = None

    @staticmethod
    def fold(text: str) -> str:
        return unicodedata.normalize("NFKC", text).casefold()

    async def open(self, app: web.Application) -> Any:
        # A socket keeps its connection to the platform as long as it lives: a bound here would be one on sockets.
        async with ClientSession(connector=TCPConnector(limit=0)) as self.session:
            yield
        await self.redis.aclose()

    async def judge(self, text: str, sender: str, room: str, ip: str) -> Judged:
        """Check and record one message."""
        identifier, folded = str(uuid.uuid4()), self.fold(text)
        hit = next(self.words.iter(folded), None)
        async with self.redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(f"account:{sender}")
            pipe.exists(f"block:sender:{sender}", f"block:ip:{ip}")
            repeat = f"repeat:{sender}:{hashlib.blake2b(folded.encode(), digest_size=8).hexdigest()}"
            pipe.incr(repeat)
            pipe.expire(repeat, 60)
            account, blocked, seen, _ = await pipe.execute()
        values = {"sender": sender, "ip": ip, "room": room}
        limited = await self.gcra(
            keys=[f"limit:{scope}:{values[scope]}" for scope, _ in LIMITS],
            args=[number for _, pace in LIMITS for number in pace],
        )
        reason = ""
        if not account or account.get(b"verified") != b"1":
            reason = "identity"
        elif blocked:
            reason = "block"
        elif limited:
            reason = "limit"
        elif hit:
            reason = "keyword"
        elif seen > 3:
            reason = "repeat"
        label = int(account.get(b"credit", 100)) < rules.CREDIT_BELOW if account else False
        self.log.info(
            json.dumps(
                {"id": identifier, "time": time.time(), "sender": sender, "room": room, "ip": ip, "text": text,
                 "verdict": reason or "pass"}, ensure_ascii=False
            )
        )  # fmt: skip
        return Judged(identifier, reason, label)

    async def comment(self, request: web.Request) -> web.Response:
        body = await request.read()
        try:
            text = json.loads(body)["content"]
        except (ValueError, KeyError):
            return web.json_response({"reason": "malformed"}, status=400)
        sender, room, ip = request.headers.get("X-User-Id", ""), request.match_info["room"], request.remote or ""
        identifier, reason, label = await self.judge(text, sender, room, ip)
        if reason:
            return web.json_response({"reason": reason, "message_id": identifier}, status=403)
        headers = {
            k: v for k, v in request.headers.items() if k.lower() not in ("host", "content-length", "connection")
        }
        headers["Message-Id"] = identifier
        if label:
            headers["Label"] = "low credit"
        assert self.session is not None
        async with self.session.post(self.upstream + request.path_qs, data=body, headers=headers) as answer:
            return web.Response(
                body=await answer.read(), status=answer.status, headers={"Message-Id": identifier},
                content_type=answer.content_type,
            )  # fmt: skip

    async def group(self, request: web.Request) -> web.WebSocketResponse:
        """A socket: what its client sends is judged, what the platform sends is relayed."""
        assert self.session is not None
        headers = {
            k: v for k, v in request.headers.items()
            if k.lower() not in ("host", "connection", "upgrade") and not k.lower().startswith("sec-websocket-")
        }  # fmt: skip
        client = web.WebSocketResponse()
        async with self.session.ws_connect(self.upstream + request.path_qs, headers=headers) as upstream:
            await client.prepare(request)
            down = asyncio.create_task(self.relay(upstream, client))
            try:
                await self.check(request, client, upstream)
            finally:
                down.cancel()
        return client

    async def check(
        self, request: web.Request, client: web.WebSocketResponse, upstream: ClientWebSocketResponse
    ) -> None:
        """From the client to the platform, judged."""
        sender, room, ip = request.headers.get("X-User-Id", ""), request.match_info["room"], request.remote or ""
        async for received in client:
            if received.type is not WSMsgType.TEXT:
                continue
            try:
                data = json.loads(received.data)
                text = data["content"] if data["type"] == "message" else None
            except (ValueError, KeyError, TypeError):
                await client.send_json({"reason": "malformed"})
                continue
            if text is not None:
                identifier, reason, _ = await self.judge(text, sender, room, ip)
                if reason:
                    await client.send_json({"reason": reason, "message_id": identifier})
                    continue
            await upstream.send_str(received.data)

    @staticmethod
    async def relay(upstream: ClientWebSocketResponse, client: web.WebSocketResponse) -> None:
        """From the platform to the client, unread."""
        async for received in upstream:
            if received.type is WSMsgType.TEXT:
                await client.send_str(received.data)
            elif received.type is WSMsgType.BINARY:
                await client.send_bytes(received.data)
        await client.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("--upstream", "--state", "--words", "--log", "--port"):
        parser.add_argument(name, required=True)
    options = parser.parse_args()
    import uvloop

    gateway = Gateway(options.upstream, options.state, Path(options.words), Path(options.log))
    app = web.Application()
    app.cleanup_ctx.append(gateway.open)
    app.router.add_post("/api/articles/{room}/comments", gateway.comment)
    app.router.add_get("/groups/{room}", gateway.group)
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    web.run_app(app, host="127.0.0.1", port=int(options.port), access_log=None, print=None, backlog=4096)


class AiohttpGateway:
    """Starts the gateway above with a Valkey of its own."""

    name = "aiohttp + redis-py"
    key = "aiohttp"
    checks: Checks = "plain"

    def __init__(self) -> None:
        self.port = free_port()
        self._gateway: subprocess.Popen[bytes] | None = None
        self._state: valkey.Server | None = None

    def start(self, setting: Setting) -> None:
        self._state = valkey.Server(setting.scratch / "aiohttp-state", setting.others_cpus)
        self._state.load(
            [("HSET", f"account:u{n}", "verified", "1", "credit", "90") for n in range(1, setting.people + 1)]
        )
        argv = [
            sys.executable, "-m", "benchmarks.systems.aiohttp_gateway", "--upstream",
            f"http://127.0.0.1:{setting.upstream_port}", "--state", self._state.socket, "--words", str(setting.words),
            "--log", str(setting.scratch / "aiohttp.log"), "--port", str(self.port),
        ]  # fmt: skip
        self._gateway = process.start(argv, setting.cpus)
        process.wait_for_port(self.port, self._gateway)

    def gateway_pids(self) -> list[int]:
        assert self._gateway is not None
        return process.children(self._gateway.pid)

    def state_pids(self) -> list[int]:
        assert self._state is not None
        return [self._state.pid]

    def other_pids(self) -> list[int]:
        return []

    def stop(self) -> None:
        if self._gateway is not None:
            process.stop(self._gateway)
        if self._state is not None:
            self._state.stop()


if __name__ == "__main__":
    main()
