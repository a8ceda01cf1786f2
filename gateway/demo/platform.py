"""The demo platform: articles with comments, videos with bullets, groups with messages. It knows nothing of Tidegate.

Everything is kept in memory and bounded; it exists to be stood in front of, to be tried by hand, and to be the
upstream of the black-box tests. ``python -m gateway.demo.platform --port 9000`` runs it alone.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import re
import socket
import weakref
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import quote

import orjson
from aiohttp import WSMsgType, web

from gateway.demo import words
from gateway.demo.page import whole
from gateway.http.server.sentences import TAGS

STATIC_VERSION = """<script src="/mirror/embed.js" data-room="{room}" data-refresh="2" async></script>
  <noscript><iframe src="/mirror/{room}/" title="静态版信息内容" width="100%" height="400"></iframe></noscript>"""
KEPT = 500  # messages of one room
NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


@web.middleware
async def worded(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
    """What is not there, or not understood, is told in the language of whoever asks, as the pages are."""
    try:
        return await handler(request)
    except web.HTTPException as raised:
        if raised.status < 400:
            raise
        kept = {"Allow": raised.headers["Allow"]} if "Allow" in raised.headers else {}
        return failed(request, raised.status, raised.status, **kept)
    except (ValueError, KeyError, TypeError):  # a body that is no JSON, or lacks what it needs
        return failed(request, 400, 400)


def failed(request: web.Request, status: int, what: int | str, **headers: str) -> web.Response:
    """A sentence, as JSON."""
    language = spoken(request)
    told = {"Content-Language": TAGS[language].decode(), "Vary": "Accept-Language", **headers}
    body = orjson.dumps({"error": words.error(what, language)})
    return web.Response(body=body, status=status, content_type="application/json", headers=told)


def spoken(request: web.Request) -> str:
    """The language that a request asks for."""
    return words.chosen(request.query.get("lang", ""), request.headers.get("Accept-Language", ""))


def carried(body: dict[str, Any]) -> dict[str, Any]:
    """What a message keeps of its body besides the text: its place in the video, the gate's id, and the mark by which
    its sender's page knows it again. A mark is a number: a text would reach everybody without having been judged."""
    kept = {name: body[name] for name in ("time", "ref") if name in body}
    return kept | ({"mark": body["mark"]} if type(body.get("mark")) is int else {})


class DemoRoom:
    """The messages of one article, video or group, and who watches it live."""

    def __init__(self) -> None:
        self.messages: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.watchers: weakref.WeakSet[web.WebSocketResponse] = weakref.WeakSet()

    async def add(self, message: dict[str, Any]) -> None:
        """Keep a message and show it to everybody who watches."""
        self.messages.append(message)
        await self._tell(message)

    async def remove(self, name: str) -> bool:
        """Forget one message, by its id or by the reference that it came with, on every screen that shows it too;
        False when it is not there."""
        for message in self.messages:
            if name in (str(message["id"]), message.get("ref")):
                self.messages.remove(message)
                await self._tell({"type": "removed", "id": message["id"]})
                return True
        return False

    async def _tell(self, message: dict[str, Any]) -> None:
        text = orjson.dumps(message).decode()
        for watcher in list(self.watchers):
            with contextlib.suppress(ConnectionError):
                await watcher.send_str(text)


class Platform:
    """The platform's own state and its handlers."""

    def __init__(self) -> None:
        self.rooms: dict[tuple[str, str], DemoRoom] = {}
        self.ids = itertools.count(1)

    def room(self, kind: str, name: str) -> DemoRoom:
        """The room, made on first use."""
        return self.rooms.setdefault((kind, name), DemoRoom())

    def application(self) -> web.Application:
        """All routes in one table."""
        app = web.Application(client_max_size=1 << 20, middlewares=[worded])
        app.add_routes(
            [
                web.get("/", self.page),
                web.post("/login", self.login),
                web.get("/articles/{room}", self.page),
                web.get("/news/{room}", self.page),
                web.get("/videos/{room}", self.page),
                web.get("/groups/{room}", self.page),
                web.get("/api/articles/{room}/comments", self.listing),
                web.post("/api/articles/{room}/comments", self.post),
                web.put("/api/articles/{room}/comments/{id}", self.put),
                web.delete("/api/articles/{room}/comments/{id}", self.delete),
                web.get("/api/news/{room}/comments", self.listing),
                web.post("/api/news/{room}/comments", self.post),
                web.delete("/api/news/{room}/comments/{id}", self.delete),
                web.get("/api/videos/{room}/danmaku", self.listing),
                web.post("/api/videos/{room}/danmaku", self.post),
                web.delete("/api/videos/{room}/danmaku/{id}", self.delete),
                web.get("/api/groups/{room}/messages", self.listing),
                web.post("/api/groups/{room}/messages", self.post),
                web.delete("/api/groups/{room}/messages/{id}", self.delete),
                web.get("/live/{room}", self.live),
                web.get("/groups/{room}/ws", self.live),
                web.post("/api/echo", self.echo),
            ]
        )
        return app

    @staticmethod
    def kind(request: web.Request) -> str:
        """articles, news, videos or groups; a live show's bullets belong to the video of the same name."""
        first = request.path.split("/")[2 if request.path.startswith("/api/") else 1]
        return "videos" if first == "live" else first

    @staticmethod
    def user(request: web.Request) -> str:
        """Who sends, as the platform's own session would say."""
        return request.headers.get("X-User-Id") or request.cookies.get("user", "")

    async def page(self, request: web.Request) -> web.Response:
        """One of the four pages; the script in it reads the room from the address."""
        first = request.path.split("/")[1]
        name = {"articles": "article", "news": "article", "videos": "live", "groups": "group"}.get(first, "index")
        language = spoken(request)
        text = words.said(whole(name), language)
        # The static version stands on the same page as the player: by a script, and without one by a frame.
        room = quote(request.match_info.get("room", ""), safe="")
        text = text.replace("<!-- mirror -->", STATIC_VERSION.format(room=room))
        told = {"Content-Language": TAGS[language].decode(), "Vary": "Accept-Language"}
        return web.Response(text=text, content_type="text/html", headers=told)

    async def login(self, request: web.Request) -> web.Response:
        """Whoever says a name is that person: it is a demo."""
        user = str((await request.post()).get("user", ""))
        if not NAME.fullmatch(user):
            return failed(request, 400, "name")
        answer = web.Response(status=204)
        answer.set_cookie("user", user, samesite="Lax")
        return answer

    async def listing(self, request: web.Request) -> web.Response:
        """The messages of a room, oldest first."""
        room = self.room(self.kind(request), request.match_info["room"])
        return web.json_response({"messages": list(room.messages)})

    async def post(self, request: web.Request) -> web.Response:
        """Keep one message; what the gateway adds to a request is shown back, for the curious."""
        body = await request.json()
        message = {
            "type": "danmaku" if self.kind(request) == "videos" else "message",
            "id": next(self.ids),
            "user": self.user(request),
            "content": body["content"],
            "label": request.headers.get("Tidegate-Label", ""),
        }
        message |= carried(body)
        await self.room(self.kind(request), request.match_info["room"]).add(message)
        return web.json_response(message, status=201)

    async def put(self, request: web.Request) -> web.Response:
        """Change the text of a message."""
        body = await request.json()
        for message in self.room(self.kind(request), request.match_info["room"]).messages:
            if message["id"] == int(request.match_info["id"]):
                message["content"] = body["content"]
                return web.json_response(message)
        return failed(request, 404, "message")

    async def delete(self, request: web.Request) -> web.Response:
        """Remove a message."""
        room = self.room(self.kind(request), request.match_info["room"])
        gone = await room.remove(request.match_info["id"])
        return web.Response(status=204) if gone else failed(request, 404, "message")

    async def echo(self, request: web.Request) -> web.StreamResponse:
        """Send a body back as it comes: for trying large streamed bodies on an unjudged path."""
        response = web.StreamResponse(headers={"Content-Type": request.content_type})
        await response.prepare(request)
        async for chunk in request.content.iter_any():
            await response.write(chunk)
        await response.write_eof()
        return response

    async def live(self, request: web.Request) -> web.WebSocketResponse:
        """A live socket: what one sends, all who watch the room see."""
        socket = web.WebSocketResponse(heartbeat=30, max_msg_size=1 << 20)
        await socket.prepare(request)
        kind = self.kind(request)
        room = self.room(kind, request.match_info["room"])
        room.watchers.add(socket)
        user = self.user(request)
        async for frame in socket:
            if frame.type is not WSMsgType.TEXT:
                continue
            try:
                body = orjson.loads(frame.data)
            except orjson.JSONDecodeError:
                continue
            if body.get("type") == "ping":
                await socket.send_str('{"type":"pong"}')
            elif "content" in body:
                message = {
                    "type": "danmaku" if kind == "videos" else "message",
                    "id": next(self.ids),
                    "user": user,
                    "content": body["content"],
                }
                message |= carried(body)
                await room.add(message)
        return socket


@contextlib.asynccontextmanager
async def serve(host: str, port: int, listener: socket.socket | None = None) -> AsyncIterator[tuple[Platform, int]]:
    """Run the platform; gives it and the port it listens on (useful with port 0). ``listener``: a socket that listens
    already, in place of host and port."""
    platform = Platform()
    runner = web.AppRunner(platform.application(), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port) if listener is None else web.SockSite(runner, listener)
        await site.start()
        yield platform, runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def forever(host: str, port: int, listener: socket.socket | None) -> None:
    """Serve until the process is told to stop."""
    async with serve(host, port, listener):
        await asyncio.Event().wait()


def main() -> None:
    """Command line of the platform alone."""
    parser = argparse.ArgumentParser(prog="python -m gateway.demo.platform", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--listen-fd", type=int, help="a listening socket that is inherited, in place of host and port")
    options = parser.parse_args()
    listener = None if options.listen_fd is None else socket.socket(fileno=options.listen_fd)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(forever(options.host, options.port, listener))


if __name__ == "__main__":
    main()
