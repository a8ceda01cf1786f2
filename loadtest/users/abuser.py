"""People who mean harm: they flood, repeat, evade, and write from accounts that may not write."""

from __future__ import annotations

from collections import deque

from locust import task

from loadtest.crowd.corpus import Line
from loadtest.crowd.people import Person
from loadtest.users.commenter import ROUTE
from loadtest.users.crew import OTHERS
from loadtest.users.http import Writer

FLOOD = 9  # messages of one sender, of which a limit of 5 in 10 s stops some
REPEAT = 5  # times one text


class Abuser(Writer):
    """One campaign after the other, a message each time one is due."""

    def on_start(self) -> None:
        super().on_start()
        self._planned: deque[Line] = deque()
        self._as: Person | None = None
        self._room = ""

    def on_stop(self) -> None:
        self._change_name()

    @task
    def step(self) -> None:
        if not self.due():
            return
        if not self._planned:
            self._plan()
        if self._as is not None:
            self.say(ROUTE, f"/api/articles/{self._room}/comments", self._as, self._planned.popleft())

    def _plan(self) -> None:
        crew = self.crew
        draw, corpus = crew.draw, crew.corpus(self.part)
        self._change_name()
        self._planned.clear()
        self._room = crew.rooms("article", self.part.rooms).choose(draw)
        campaign = draw.choice(("flood", "repeat", "evade", "not admitted"))
        if campaign == "not admitted":
            self._as = draw.choice(OTHERS)
            self._planned.append(corpus.draw(self.part.mix, draw))
            return
        self._as = crew.people.lend()
        if campaign == "flood":
            self._planned.extend(draw.choice(corpus.lines("plain")) for _ in range(FLOOD))
        elif campaign == "repeat":
            self._planned.extend([draw.choice(corpus.lines("plain"))] * REPEAT)
        else:
            self._planned.extend(corpus.draw(self.part.mix, draw) for _ in range(3))

    def _change_name(self) -> None:
        if self._as is not None and self._as.standing == "verified":
            self.crew.people.back(self._as)
        self._as = None
