"""Routes: what matches, what only seems not to."""

import pytest

from gateway.http.errors import HTTPError
from gateway.http.path import parse_template
from gateway.http.router import Router, plain_host

TABLE = {
    "POST /api/articles/{room}/comments": "comments",
    "GET /live/{room}": "live",
    "POST /api/articles/latest/comments": "latest",
    "POST /api/articles/latest/{what}/x": "x",
    "PUT|PATCH /api/comments/{id}/": "edit",
    "POST forum.example/post": "forum",
}


@pytest.fixture
def router() -> Router[str]:
    return Router([(parse_template(text), name) for text, name in TABLE.items()])


@pytest.mark.parametrize(
    ("method", "target", "route", "values"),
    [
        (b"POST", b"/api/articles/a1/comments", "comments", (b"a1",)),
        (b"POST", b"/api/articles/a-1.b/comments?x=/..//", "comments", (b"a-1.b",)),
        (b"POST", b"/api/articles/latest/comments", "latest", ()),
        (b"POST", b"/api/articles/%e4%bd%a0/comments", "comments", (b"%E4%BD%A0",)),
        (b"GET", b"/live/7", "live", (b"7",)),
        (b"PATCH", b"/api/comments/9/", "edit", (b"9",)),
        (b"POST", b"/api/articles/latest/y/x", "x", (b"y",)),
    ],
)
def test_routes_are_found(router: Router[str], method: bytes, target: bytes, route: str, values: tuple[bytes]) -> None:
    found = router.find(method, b"h", target)
    assert (found.route, found.values) == (route, values)


def test_a_literal_does_not_hide_a_variable() -> None:
    router = Router([(parse_template("GET /a/b/c"), 1), (parse_template("GET /a/{x}/d"), 2)])
    assert router.find(b"GET", b"h", b"/a/b/d").route == 2


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (b"/", b"/"),
        (b"/static/app.js?v=1", b"/static/app.js"),
        (b"/other//x", b"/other//x"),
        (b"/other/%61/../b", b"/other/b"),
        (b"/other/a%2fb", b"/other/a%2Fb"),
        (b"/other/%zz", b"/other/%zz"),
        (b"*", b"*"),
    ],
)
def test_elsewhere_paths_are_forwarded_in_normal_form(router: Router[str], target: bytes, path: bytes) -> None:
    found = router.find(b"GET", b"h", target)
    assert (found.route, found.path) == (None, path)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (b"//api/articles/a/comments", "path.empty_segment"),
        (b"/api/articles//a/comments", "path.empty_segment"),
        (b"/x/../api/articles/a/comments", "path.dot_segment"),
        (b"/api/articles/./a/comments", "path.dot_segment"),
        (b"/%61pi/articles/a/comments", "path.needless_encoding"),
        (b"/api/articles/%61/comments", "path.needless_encoding"),
        (b"/api%2farticles/a/comments", "path.encoded_slash"),
        (b"/api/articles/a%2Fb/comments", "path.encoded_slash"),
        (b"/api/articles/a/comments;v=1", "path.parameters"),
        (b"/api/articles/a/comment%73", "path.needless_encoding"),
        (b"/api/articles/a%/comments", "path.percent"),
        (b"/api\\articles/a/comments", "path.character"),
        (b"/%2561pi/articles/a/comments", "path.lookalike"),
        (b"/API/articles/a/comments", "path.lookalike"),
        (b"/api/articles/a/comments/", "path.lookalike"),
        (b"/api/articles/a/Comments", "path.lookalike"),
    ],
)
def test_a_judged_path_has_no_disguise(router: Router[str], target: bytes, reason: str) -> None:
    with pytest.raises(HTTPError) as caught:
        router.find(b"POST", b"h", target)
    assert caught.value.reason == reason


def test_reading_beside_a_judged_path_is_free(router: Router[str]) -> None:
    assert router.find(b"GET", b"h", b"/API/articles/a/comments/").route is None


def test_hosts(router: Router[str]) -> None:
    assert router.find(b"POST", b"Forum.Example:8080", b"/post").route == "forum"
    assert router.find(b"POST", b"forum.example.", b"/post").route == "forum"
    assert router.find(b"POST", b"other.example", b"/post").route is None
    assert router.find(b"POST", b"forum.example", b"/api/articles/a/comments").route == "comments"
    with pytest.raises(HTTPError, match="lookalike"):
        router.find(b"POST", b"forum.example", b"/POST")
    assert plain_host(b"[::1]:80") == b"[::1]"
    assert plain_host(b"[::1]") == b"[::1]"


def test_parameters_are_decoded(router: Router[str]) -> None:
    assert router.find(b"GET", b"h", b"/live/%E4%BD%A0").parameters() == {"room": "你"}
    with pytest.raises(HTTPError, match=r"path\.encoding"):
        router.find(b"GET", b"h", b"/live/%FF").parameters()


def test_two_templates_for_the_same_requests() -> None:
    with pytest.raises(ValueError, match="same requests"):
        Router([(parse_template("GET /a/{x}"), 1), (parse_template("PUT|GET /a/{y}"), 2)])


def test_without_routes_everything_is_unmatched() -> None:
    assert Router[str]([]).find(b"GET", b"h", b"/a/../b").path == b"/b"


def test_a_target_is_remembered_but_for_its_query() -> None:
    router = Router(
        [(parse_template("GET /live/{room}"), "live"), (parse_template("GET h.example/live/{room}"), "own")]
    )
    first = router.find(b"GET", b"a", b"/live/7")
    assert router.find(b"GET", b"a", b"/live/7") is first
    assert router.find(b"GET", b"h.example", b"/live/7").route == "own"
    assert router.find(b"GET", b"a", b"/live/7?token=s") is not router.find(b"GET", b"a", b"/live/7?token=s")
    assert router.find(b"GET", b"a", b"/live/7?token=s").query == b"token=s"
