"""Acts that are drawn, over all nodes of a cluster at once, and what was answered to each.

Each act's reason is its number, so that the database and the journals tell which of those that were asked for it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from tests.e2e.node import Answer
from tests.e2e.nodes.acts_model import Asked
from tests.e2e.nodes.cluster import Cluster

GROUND: Final = "agreement 6.1"
SENDERS = [f"s{number}" for number in range(80)]
ROOMS = [f"r{number}" for number in range(25)]
RANGES = [f"10.9.{number}.0/24" for number in range(12)]
WORDS = [f"urgent{number}" for number in range(25)]
TOKENS = [f"token{number}" for number in range(6)]
PEOPLE = [f"person{number}" for number in range(4)]
LINES = [f"phrase{number}" for number in range(3)]
SHARES = {
    "block": 20, "unblock": 14, "account": 18, "forget": 4, "room": 16, "freeze": 6, "unfreeze": 5, "urgent": 5,
    "unurgent": 4, "undo": 10, "token": 1.5, "revoke": 1.2, "person": 0.8, "leave": 0.6, "line": 0.1, "unline": 0.1,
    "rebuild": 0.15,
}  # fmt: skip
PATIENCE = 12.0  # seconds for an answer; behind them nobody knows what became of it
REFUSED = 0.5  # seconds until one who was not heard asks again: else most of all acts would fall into the faults
UNTOLD = (OSError, asyncio.IncompleteReadError, TimeoutError)
UNSEEN = "control.outcome_unseen"


class Drawn(NamedTuple):
    """One request to the admin API, and what it asks for."""

    method: str
    path: str
    body: dict[str, Any] | None
    asked: Asked


class Said:
    """What was asked for by number, and what became of it: ``done`` (by its act), ``refused``, or in ``doubt``."""

    def __init__(self) -> None:
        self.asked: dict[int, Asked] = {}
        self.done: dict[int, int] = {}
        self.refused: set[int] = set()
        self.doubt: set[int] = set()
        self.answers: Counter[str] = Counter()
        self.strange: list[str] = []


class RandomActs:
    """``seed``: of what is drawn. Which act meets which fault is the machine's, and another at each run."""

    def __init__(self, cluster: Cluster, seed: int, many: int) -> None:
        self.said = Said()
        self._cluster = cluster
        self._draw = random.Random(f"acts {seed}")
        self._many = many
        self._number = 0
        self._ids: dict[str, list[int]] = {"blocks": [], "switches": [], "urgent-words": []}
        self._acts: list[int] = []

    @property
    def asked(self) -> int:
        """How many were asked for until now."""
        return self._number

    async def ask_all(self, clients: int = 4) -> None:
        """Returns when each was answered, or nobody knows. ``clients``: of each node, so that one that answers nothing
        holds up none of the others."""
        await asyncio.gather(*(self._client(node) for node in self._cluster.nodes for _ in range(clients)))

    async def _client(self, node: int) -> None:
        while self._number < self._many:
            self._number += 1
            number = self._number
            drawn = self._next(f"act {number}")
            self.said.asked[number] = drawn.asked
            try:
                async with asyncio.timeout(PATIENCE):
                    answer = await self._cluster.ask(node, drawn.method, drawn.path, drawn.body)
            except UNTOLD as error:
                self.said.doubt.add(number)
                self.said.answers[type(error).__name__] += 1
                await asyncio.sleep(REFUSED)
                continue
            self._note(number, drawn, answer)
            if answer.status == 503:
                await asyncio.sleep(REFUSED)

    def _note(self, number: int, drawn: Drawn, answer: Answer) -> None:
        said, told = self.said, answer.json()
        if answer.status in (200, 202):  # in force, or on its way
            said.answers[str(answer.status)] += 1
            said.done[number] = told["act"]
            self._acts.append(told["act"])
            if drawn.method == "POST" and (name := drawn.path.rpartition("/")[2]) in self._ids:
                self._ids[name].append(told["result"]["id"])
            return
        reason = str(told.get("reason"))
        said.answers[f"{answer.status} {reason}"] += 1
        if (
            reason == UNSEEN or drawn.asked.kind == "state.rebuild"
        ):  # that it was asked for stands, whatever became of it
            said.doubt.add(number)
        elif answer.status in (404, 409, 503):
            said.refused.add(number)
        else:
            said.strange.append(f"{drawn.method} {drawn.path}: {answer}")

    def _next(self, why: str) -> Drawn:
        """One that is possible, as far as we know; others may have been before us."""
        name: str = self._draw.choices(tuple(SHARES), tuple(SHARES.values()))[0]
        drawn: Drawn = getattr(self, f"_{name}")(why)
        return drawn

    def _block(self, why: str) -> Drawn:
        scope = self._draw.choice(("sender", "sender", "sender", "room", "cidr"))
        value = self._draw.choice({"sender": SENDERS, "room": ROOMS, "cidr": RANGES}[scope])
        limited = self._draw.random() < 0.2
        body = {"scope": scope, "value": value, "reason": why, "ground": GROUND, "limited": limited, "expires_at": 0}
        wanted = {"reason": why, "limited": limited, "expires_at": 0}
        return Drawn("POST", "/v1/blocks", body, Asked("block.create", ("blocks", (scope, value)), wanted))

    def _unblock(self, why: str) -> Drawn:
        return self._gone("block.delete", "blocks", why)

    def _gone(self, kind: str, name: str, why: str) -> Drawn:
        number = self._draw.choice(self._ids[name] or [1 << 40])
        return Drawn("DELETE", f"/v1/{name}/{number}?reason={quote(why)}", None, Asked(kind, number=number))

    def _account(self, why: str) -> Drawn:
        sender = self._draw.choice(SENDERS)
        wanted = {"verified": self._draw.random() < 0.8, "credit": self._draw.randint(0, 100), "verified_until": 0}
        asked = Asked("account.put", ("accounts", (sender,)), wanted)
        return Drawn("PUT", f"/v1/accounts/{sender}", {**wanted, "reason": why}, asked)

    def _forget(self, why: str) -> Drawn:
        sender = self._draw.choice(SENDERS)
        asked = Asked("account.delete", ("accounts", (sender,)))
        return Drawn("DELETE", f"/v1/accounts/{sender}?reason={quote(why)}", None, asked)

    def _room(self, why: str) -> Drawn:
        room, status = self._draw.choice(ROOMS), self._draw.choice(("open", "slow", "muted", "closed"))
        interval = self._draw.randint(1, 60) if status == "slow" else 0
        wanted = None if status == "open" else {"status": status, "interval_ms": interval * 1000}
        body = {"status": status, "interval": interval, "reason": why}
        return Drawn("PUT", f"/v1/rooms/{room}", body, Asked("room.put", ("rooms", (room,)), wanted))

    def _freeze(self, why: str) -> Drawn:
        room = self._draw.choice(ROOMS)
        asked = Asked("switch.freeze", ("switches", ("freeze", "room", room)), {"ground": GROUND})
        return Drawn("POST", "/v1/switches", {"scope": "room", "value": room, "ground": GROUND, "reason": why}, asked)

    def _unfreeze(self, why: str) -> Drawn:
        return self._gone("switch.unfreeze", "switches", why)

    def _urgent(self, why: str) -> Drawn:
        word = self._draw.choice(WORDS)
        asked = Asked("urgent.add", ("urgent_words", (word,)), {"ground": GROUND})
        return Drawn("POST", "/v1/urgent-words", {"word": word, "ground": GROUND, "reason": why}, asked)

    def _unurgent(self, why: str) -> Drawn:
        return self._gone("urgent.remove", "urgent-words", why)

    def _undo(self, why: str) -> Drawn:
        act = self._draw.choice(self._acts[-12:] or [1 << 40])
        return Drawn("POST", f"/v1/acts/{act}:undo", {"reason": why}, Asked("act.undo", number=act))

    def _token(self, why: str) -> Drawn:
        name = self._draw.choice(TOKENS)
        asked = Asked("token.make", ("tokens", (name,)), {"scopes": ["blocks:read"]})
        return Drawn("POST", "/v1/tokens", {"name": name, "scopes": ["blocks:read"], "reason": why}, asked)

    def _revoke(self, why: str) -> Drawn:
        name = self._draw.choice(TOKENS)
        asked = Asked("token.revoke", ("tokens", (name,)))
        return Drawn("DELETE", f"/v1/tokens/{name}?reason={quote(why)}", None, asked)

    def _person(self, why: str) -> Drawn:
        name = self._draw.choice(PEOPLE)
        asked = Asked("person.add", ("people", (name,)), {"roles": ["viewer"]})
        return Drawn("POST", "/v1/people", {"name": name, "roles": ["viewer"], "reason": why}, asked)

    def _leave(self, why: str) -> Drawn:
        name = self._draw.choice(PEOPLE)
        return Drawn(
            "DELETE", f"/v1/people/{name}?reason={quote(why)}", None, Asked("person.remove", ("people", (name,)))
        )

    def _line(self, why: str) -> Drawn:
        line = self._draw.choice(LINES)
        asked = Asked("word.add", ("words", ("spam", line)), {"effect": "added"})
        return Drawn("POST", "/v1/lists/spam/words", {"line": line, "reason": why}, asked)

    def _unline(self, why: str) -> Drawn:
        line = self._draw.choice(LINES)
        path = f"/v1/lists/spam/words?line={line}&reason={quote(why)}"
        return Drawn("DELETE", path, None, Asked("word.remove", ("words", ("spam", line))))

    def _rebuild(self, why: str) -> Drawn:
        return Drawn("POST", "/v1/state:rebuild", {"reason": why}, Asked("state.rebuild"))


class Walls:
    """What was blocked before all of it and is never lifted: asked of every node all the time. ``lifted``: what should
    not have been answered; ``answers``: by status."""

    def __init__(self, cluster: Cluster) -> None:
        self.lifted: list[str] = []
        self.answers: Counter[int] = Counter()
        self._cluster = cluster

    async def build(self) -> None:
        """On the first node, in force at once."""
        for sender in ("walled", "citizen"):
            await self._cluster.done(1, "PUT", f"/v1/accounts/{sender}", {"verified": True, "reason": "papers"})
        block = {"scope": "sender", "value": "walled", "reason": "spam", "ground": GROUND}
        await self._cluster.done(1, "POST", "/v1/blocks", block)
        freeze = {"scope": "room", "value": "walled", "ground": GROUND, "reason": "order 7"}
        await self._cluster.done(1, "POST", "/v1/switches", freeze)

    async def watch(self, enough: asyncio.Event) -> None:
        """Again and again, until it is enough."""
        while not enough.is_set():
            for number in self._cluster.nodes:
                for sender, room in (("walled", "1"), ("citizen", "walled")):
                    with contextlib.suppress(*UNTOLD):
                        answer = await self._cluster.nodes[number].say(sender, "hi", f"/api/articles/{room}/comments")
                        self.answers[answer.status] += 1
                        if answer.status < 400:
                            self.lifted.append(f"node {number} let {sender} into room {room}: {answer}")
            await asyncio.sleep(0.2)


def shown(told: Mapping[Any, int]) -> str:
    """Counts, the most frequent first."""
    return ", ".join(f"{many} × {what}" for what, many in sorted(told.items(), key=lambda item: -item[1]))
