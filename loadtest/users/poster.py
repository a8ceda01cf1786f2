"""People who write to their group by request, as a bot or a mobile client does."""

from __future__ import annotations

from locust import task

from loadtest.users.http import Writer

ROUTE = "group-messages"


class Poster(Writer):
    """Few groups are awake: Zipf's law chooses."""

    @task
    def post(self) -> None:
        if not self.due():
            return
        crew = self.crew
        room = crew.rooms("group", self.part.rooms).choose(crew.draw)
        line = crew.corpus(self.part).draw(self.part.mix, crew.draw)
        self.say_as_somebody(ROUTE, f"/api/groups/{room}/messages", line)
