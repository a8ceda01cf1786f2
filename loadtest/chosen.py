"""The one shape that Locust runs: asks the shape that was chosen, and brings only people of the chosen suite."""

from __future__ import annotations

from time import perf_counter

from locust import LoadTestShape, User

from loadtest import users as people
from loadtest.crowd.suites import SUITES, Suite
from loadtest.measuring.options import Options
from loadtest.shapes import SHAPES

AT_ONCE = 10_000.0  # users a second: the shape alone says how many there are


class Chosen(LoadTestShape):
    """Number of users from Locust's own field, everything else from our options."""

    use_common_options = True

    def tick(self) -> tuple[int, float, list[type[User]] | None] | None:
        assert self.runner is not None
        assert self.runner.environment.parsed_options is not None
        parsed = self.runner.environment.parsed_options
        options = Options.of(parsed)
        suite = SUITES[options.suite]
        everybody = parsed.num_users if (parsed.num_users or 0) > 1 else suite.users
        parsed.everybody = everybody  # goes to the load workers with their orders
        now = SHAPES[options.shape or suite.shape](perf_counter() - self.start_time, options.seconds, everybody)
        return None if now is None else (now, AT_ONCE, self._classes(suite))

    @staticmethod
    def _classes(suite: Suite) -> list[type[User]]:
        chosen: list[type[User]] = []
        for part in suite.parts:
            user: type[User] = getattr(people, part.user)
            user.weight = part.weight
            chosen.append(user)
        return chosen
