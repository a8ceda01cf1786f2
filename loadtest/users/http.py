"""People who write by HTTP. One Locust user is one connection that many senders share, as behind a platform's front."""

from __future__ import annotations

from time import perf_counter

import orjson
from locust import FastHttpUser

from loadtest.crowd.corpus import Line
from loadtest.crowd.people import Person, Span
from loadtest.users.crew import TALLY, Crew, crew_of
from loadtest.verdicts.answers import Broken, fault_of, read
from loadtest.verdicts.expectation import WrongVerdict

JSON = "application/json"


class Writer(FastHttpUser):
    """Somebody with a schedule; a subclass has the task that asks whether a message is ``due``."""

    abstract = True
    network_timeout = 10.0
    connection_timeout = 5.0
    concurrency = 1

    crew: Crew

    def on_start(self) -> None:
        self.crew = crew_of(self.environment)
        self.part = self.crew.part(type(self).__name__)
        self.arrivals = self.crew.arrivals(self.part)

    def wait_time(self) -> float:
        """Seconds until the next message is due; 0 for who is behind."""
        return max(0.0, self.arrivals.due - perf_counter())

    def due(self) -> bool:
        """Take the message that is due now, if any: Locust runs a task once before it first waits."""
        late = perf_counter() - self.arrivals.due
        if late < 0:
            return False
        self.arrivals.next()
        TALLY.late(late)
        return True

    def say(self, route: str, path: str, person: Person, line: Line) -> None:
        """Send a message and hold its answer against what it must be."""
        crew = self.crew
        headers = {"Content-Type": JSON, "X-User-Id": person.name}
        sent = perf_counter()
        with self.client.post(
            path, data=orjson.dumps({"content": line.text}).decode(), headers=headers, name=route, catch_response=True
        ) as response:
            answered = perf_counter()
            span = Span.of(sent, answered)
            try:
                told = read(response.status_code, response.headers or {}, response.content)
            except Broken as broken:
                crew.settle(person, line, route, span, None)
                kind = str(response.error or broken) if not response.status_code else str(broken)
                TALLY.error(kind)
                response.failure(kind)
                return
            wrong = crew.weigh(person, line, route, span, told.outcome)
            if wrong is None:
                judged = not crew.options.direct
                fault = fault_of(told, line, person.name, judged=judged, labelled=person.standing == "low credit")
                if fault:
                    wrong = WrongVerdict(line, person.standing, frozenset((told.outcome,)), fault)
            TALLY.answered(route, answered - sent, str(told.outcome))
            if wrong is None:
                response.success()
            else:
                TALLY.wrong(str(wrong))
                response.failure(wrong)

    def say_as_somebody(self, route: str, path: str, line: Line) -> None:
        """Send a message as whoever has rested longest."""
        person = self.crew.people.lend()
        if person is None:
            return
        try:
            self.say(route, path, person, line)
        finally:
            self.crew.people.back(person)

    def open_page(self, path: str, name: str) -> None:
        """Read: relayed, never judged."""
        began = perf_counter()
        with self.client.get(path, name=name, catch_response=True) as response:
            if response.status_code == 200:
                TALLY.answered(name, perf_counter() - began, "read")
                response.success()
            else:
                TALLY.error(f"{response.status_code} for a page")
                response.failure(f"{response.status_code} for a page")
