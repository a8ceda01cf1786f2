"""People who read articles and comment on them."""

from __future__ import annotations

from locust import task

from loadtest.users.http import Writer

ROUTE = "article-comments"


class Commenter(Writer):
    """Comments, and now and then opens the page of an article."""

    @task
    def comment(self) -> None:
        if not self.due():
            return
        crew = self.crew
        room = crew.rooms("article", self.part.rooms).choose(crew.draw)
        if crew.draw.random() < self.part.reads:
            self.open_page(f"/articles/{room}", "read an article")
        line = crew.corpus(self.part).draw(self.part.mix, crew.draw)
        self.say_as_somebody(ROUTE, f"/api/articles/{room}/comments", line)
