"""What is written and judged by nobody, as config check lists it."""

from collections.abc import Callable

from gateway import config
from gateway.config import Config

Read = Callable[..., Config]

LIKES = """
[[routes]]
name = "likes"
match = "GET|POST|DELETE /articles/{room}/comments/{id}/like"
upstream = "platform"
[[routes]]
name = "pages"
match = "GET /articles/{room}"
upstream = "platform"
"""


def unjudged(configured: Config) -> list[str]:
    told = config.unjudged(configured)
    assert all("转发" in one.zh for one in told)
    return [one.en for one in told]


def test_parents_and_siblings_are_listed(read: Read) -> None:
    assert unjudged(read()) == [
        "/articles/{room} and /articles/{room}/… beside /articles/{room}/comments: relayed where no route matches"
    ]


def test_routes_that_relay_writing_are_listed_by_name(read: Read) -> None:
    told = unjudged(read(more=LIKES))
    assert told[0] == "POST|DELETE /articles/{room}/comments/{id}/like: relayed by route likes"
    assert len(told) == 2


def test_a_route_that_relays_the_rest_is_listed(read: Read) -> None:
    told = unjudged(read('text = "json:/content"', 'text = "json:/content"\nunjudged = "relay"'))
    assert told[0] == "/articles/{room}/comments and below: the rest, as route comments says"


def test_where_nothing_unmatched_goes_on_nothing_is_listed(read: Read) -> None:
    assert unjudged(read(more='[server]\nunmatched = "refuse"\n')) == []
