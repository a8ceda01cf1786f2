"""People at a Matrix server, with matrix-nio as their client: a line of JSON each way (``program.py``)."""

import asyncio
import io
import json
import sys

from nio import AsyncClient, AsyncClientConfig, ErrorResponse, RegisterResponse

PASSWORD = "a password of a test"


class People:
    """All of one server. ``person`` is what ``enter`` gave: one log-in each."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.room = ""
        self.clients: list[AsyncClient] = []

    async def enter(self, name: str, patient: bool = False) -> dict:
        """Registered where that is new, else logged in once more; in the room. ``patient``: as the client is by
        default, which waits and tries again where it is told to."""
        config = AsyncClientConfig(max_limit_exceeded=None if patient else 0, max_timeouts=1, request_timeout=60)
        client = AsyncClient(self.server, name, config=config)
        answer = await client.register(name, PASSWORD)
        if not isinstance(answer, RegisterResponse):
            client = AsyncClient(self.server, f"@{name}:chat.example", config=config)
            answer = await client.login(PASSWORD)
        good(answer)
        self.clients.append(client)
        if not self.room:
            made = good(await client.room_create(name="Everybody", topic="All of it", preset=None))
            self.room = made.room_id
            good(await client.room_put_state(self.room, "m.room.join_rules", {"join_rule": "public"}))
        good(await client.join(self.room))
        return {"person": len(self.clients) - 1, "id": client.user_id, "token": client.access_token}

    async def where(self, person: int) -> str:
        """The room that all are in."""
        return self.room

    async def send(self, person: int, content: dict, kind: str = "m.room.message", room: str = "") -> dict:
        """An event."""
        answer = await self.clients[person].room_send(room or self.room, kind, content)
        return told(answer)

    async def state(self, person: int, kind: str, content: dict) -> dict:
        """A state of the room."""
        return told(await self.clients[person].room_put_state(self.room, kind, content))

    async def name(self, person: int, name: str) -> dict:
        """How they are called."""
        return told(await self.clients[person].set_displayname(name))

    async def read(self, person: int) -> list:
        """Texts of the room as a client has them: the last change counts, what is redacted is gone."""
        found: dict = {}
        start, client = "", self.clients[person]
        while True:
            page = good(await client.room_messages(self.room, start, limit=500, direction="f"))
            for event in page.chunk:
                content = event.source.get("content", {})
                relates = content.get("m.relates_to", {})
                if event.source["type"] != "m.room.message" or "body" not in content:
                    continue
                if relates.get("rel_type") == "m.replace":
                    found[relates["event_id"]] = content["m.new_content"]["body"]
                else:
                    found[event.event_id] = content["body"]
            if not page.end or page.end == start:
                return list(found.values())
            start = page.end

    async def known(self, person: int) -> bool:
        """Whether the server takes the token, and the client thinks that it is logged in."""
        answer = await self.clients[person].whoami()
        return self.clients[person].logged_in and getattr(answer, "user_id", "") == self.clients[person].user_id

    async def sync(self, person: int, wait: int = 0) -> list:
        """What is new since the last time, after at most ``wait`` milliseconds."""
        answer = good(await self.clients[person].sync(wait))
        room = answer.rooms.join.get(self.room)
        return [event.source["content"].get("body") for event in room.timeline.events] if room else []

    async def upload(self, person: int, size: int) -> int:
        """A file up and down again: how long it was."""
        client = self.clients[person]
        answer, _ = await client.upload(io.BytesIO(b"x" * size), "application/octet-stream", "a.bin", filesize=size)
        return len(good(await client.download(good(answer).content_uri)).body)

    async def typing(self, person: int) -> dict:
        """That they are typing."""
        return told(await self.clients[person].room_typing(self.room))

    async def receipt(self, person: int, event: str) -> dict:
        """That they have read it."""
        client = self.clients[person]
        return told(await client.room_read_markers(self.room, event, event))

    async def redact(self, person: int, event: str, reason: str | None = None) -> dict:
        """Take back."""
        return told(await self.clients[person].room_redact(self.room, event, reason))

    async def log_out(self, person: int) -> dict:
        """Of this device."""
        return told(await self.clients[person].logout())


def good(answer):
    """The answer, which must be none of an error."""
    if isinstance(answer, ErrorResponse):
        raise RuntimeError(str(answer))
    return answer


def told(answer) -> dict:
    """What the client makes of an answer."""
    if isinstance(answer, ErrorResponse):
        return {"went": False, "words": str(answer), "code": answer.status_code, "retry": answer.retry_after_ms,
                "gone": bool(answer.soft_logout)}  # fmt: skip
    return {"went": True, "key": getattr(answer, "event_id", "")}


async def main() -> None:
    """Until standard input ends."""
    people = People(sys.argv[1])
    reader = asyncio.StreamReader(limit=1 << 24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        order = json.loads(line)
        try:
            answer = {"answer": await getattr(people, order.pop("call"))(**order)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
    for client in people.clients:
        await client.close()


asyncio.run(main())
