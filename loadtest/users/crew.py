"""What all people of one load process share: accounts, texts, rooms, the tally."""

from __future__ import annotations

from random import Random
from time import perf_counter, sleep, time
from typing import TYPE_CHECKING, Any

from loadtest.crowd.arrivals import Arrivals
from loadtest.crowd.corpus import Corpus, Line, Register
from loadtest.crowd.people import ADDRESS_PACE, REPEAT_PERIOD, Allowance, People, Person, Span, share_of
from loadtest.crowd.rooms import Rooms
from loadtest.crowd.suites import SUITES, Part, rates
from loadtest.measuring.options import Options
from loadtest.measuring.tally import Tally
from loadtest.verdicts.expectation import UNJUDGED, Outcome, WrongVerdict, expected

if TYPE_CHECKING:
    from locust.env import Environment

TALLY = Tally()
"""Of this process; the locustfile drains it."""

OTHERS = (Person("carol", "unverified"), Person("mallory", "blocked"), Person("stranger", "unknown"))
"""Nobody of these gets as far as a limit, so that any number of users may write in their names at once."""


class Crew:
    """Made anew for each test. Times are ``perf_counter`` seconds."""

    def __init__(self, options: Options, process: int) -> None:
        self.options = options
        self.suite = SUITES[options.suite]
        self.seed = options.seed or int(time() * 1000)
        self.draw = Random(f"{self.seed} {process}")
        self.started = perf_counter()
        rested = options.fresh and not options.again
        left_behind = 0 if rested else int((self.started + REPEAT_PERIOD) * 1e6)
        names = [f"u{number}" for number in range(1, options.senders + 1)]
        people = [Person(name, "verified", left_behind) for name in share_of(names, process, options.processes)]
        if process == 0:
            people.append(Person("dave", "low credit", left_behind))
        self.people = People(people)
        self._corpora: dict[Register, Corpus] = {}
        self._rooms: dict[str, Rooms] = {}
        self._rates = rates(self.suite, max(1, options.everybody), options.rate)
        # Of the address nobody knows who else uses it: what others may have sent counts as one message for each of
        # ours and for each load process.
        self._address = None if options.fresh else Allowance(ADDRESS_PACE, left_behind)

    def part(self, user: str) -> Part:
        """What the suite says of this class of people."""
        return next(part for part in self.suite.parts if part.user == user)

    def arrivals(self, part: Part) -> Arrivals:
        """One person's schedule, from now on; the waves are everybody's."""
        schedule = Arrivals(self._rates[part.user], self.draw, part.wave, self.started)
        schedule.skip_to(perf_counter())
        return schedule

    def corpus(self, part: Part) -> Corpus:
        """What these people say."""
        register = part.register
        if register not in self._corpora:
            # Others run meanwhile: a load worker that sends no heartbeat counts as lost.
            self._corpora[register] = Corpus(register, self.seed, rest=lambda: sleep(0.0))
        return self._corpora[register]

    def rooms(self, prefix: str, count: int) -> Rooms:
        if prefix not in self._rooms:
            self._rooms[prefix] = Rooms(prefix, count)
        return self._rooms[prefix]

    def right(self, person: Person, line: Line, route: str, span: Span) -> frozenset[Outcome]:
        """Which outcomes are right for a message that was judged within ``span``."""
        if self.options.direct:
            return UNJUDGED
        address = "no" if self._address is None else self._address.used_up(span)
        return expected(
            person.standing, line, person.allowance(route).used_up(span),
            person.repeats(route, line.mark).too_many(span) if line.mark else "no",
            "no" if address == "no" else "maybe",
        )  # fmt: skip

    def settle(self, person: Person, line: Line, route: str, span: Span, outcome: Outcome | None) -> None:
        """Count the message; ``outcome`` is None where nobody can tell what became of it."""
        if person.standing not in ("verified", "low credit"):
            return
        person.settle(route, line.mark, span, None if outcome is None else outcome.reason)
        if self._address is not None:
            for _ in range(2 * self.options.processes):
                self._address.charge(span)

    def weigh(self, person: Person, line: Line, route: str, span: Span, outcome: Outcome) -> WrongVerdict | None:
        """Compare with what is right, then count."""
        right = self.right(person, line, route, span)
        self.settle(person, line, route, span, outcome)
        if outcome in right:
            return None
        return WrongVerdict(line, person.standing, right, str(outcome))


_crews: dict[int, Crew] = {}


def crew_of(environment: Environment) -> Crew:
    """The crew of the test that runs; made by the first who asks."""
    key = id(environment)
    if key not in _crews:
        runner: Any = environment.runner
        assert environment.parsed_options is not None
        _crews[key] = Crew(Options.of(environment.parsed_options), max(0, runner.worker_index))
    return _crews[key]


def gather(environment: Environment, **_: Any) -> None:
    """Each test starts with people of its own, and with their texts prepared."""
    _crews.pop(id(environment), None)
    TALLY.drain()
    crew = crew_of(environment)
    for part in crew.suite.parts:
        crew.corpus(part)
