"""Routes: what matches, what only seems not to."""

import re
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.server.router import Router, plain_host
from gateway.http.wire.errors import HTTPError
from gateway.http.wire.path import normalise, parse_template, remove_dot_segments, shadow

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
    assert router.find(b"POST", b"forum.example", b"/api/articles/a/comments").route == "comments"
    with pytest.raises(HTTPError, match="lookalike"):
        router.find(b"POST", b"forum.example", b"/POST")
    assert plain_host(b"[::1]:80") == b"[::1]"
    assert plain_host(b"[::1]") == b"[::1]"


OWN_HOSTS = {
    "POST forum.example/posts/{room}": "judged",
    "GET|POST forum.example/posts/{room}/likes": "relayed",
    "POST news.example/posts/latest": "judged",
    "PUT www.example/other": "relayed",
    "POST /posts/{room}/{what}": "relayed",
    "POST news.example/boards/{room}/{what}": "judged",
    "POST /boards/{room}/{what}": "judged",
    "PUT /boards/{room}/{what}": "relayed",
    "DELETE news.example/posts/a/{id}": "judged",
    "DELETE /posts/a/{id}": "relayed",
}


@pytest.fixture
def hosted() -> Router[str]:
    return Router([(parse_template(text), name) for text, name in OWN_HOSTS.items()], lambda name: name == "judged")


@pytest.mark.parametrize("host", [b"x", b"", b"127.0.0.1:8080", b"forum.example.evil", b"forum%2Eexample", b"[::1]"])
@pytest.mark.parametrize(
    ("method", "target", "reason"),
    [
        (b"POST", b"/posts/7", "route.host"),
        (b"POST", b"/posts/7?x=1", "route.host"),
        (b"POST", b"/posts/%e4%bd%a0", "route.host"),
        (b"POST", b"/posts/latest", "route.host"),
        (b"DELETE", b"/posts/a/7", "route.host"),
        (b"POST", b"/posts/7/", "path.lookalike"),
        (b"POST", b"/Posts/7", "path.lookalike"),
        (b"POST", b"//posts/7", "path.empty_segment"),
    ],
)
def test_what_is_judged_under_one_host_is_not_relayed_under_a_strange_one(
    hosted: Router[str], host: bytes, method: bytes, target: bytes, reason: str
) -> None:
    """The upstream may well take an unknown Host for the one that is judged."""
    for _ in range(2):
        with pytest.raises(HTTPError) as caught:
            hosted.find(method, host, target)
        assert caught.value.reason == reason
    assert caught.value.status == {"route.host": 421}.get(reason, 400)


@pytest.mark.parametrize(
    ("method", "host", "target", "route"),
    [
        (b"POST", b"forum.example:80", b"/posts/7", "judged"),
        (b"POST", b"www.example", b"/posts/7", None),  # a route names this host: it is another site
        (b"POST", b"news.example", b"/posts/7", None),
        (b"GET", b"x", b"/posts/7", None),
        (b"POST", b"x", b"/posts/7/likes", "relayed"),  # what is not judged there is not judged here
        (b"POST", b"x", b"/boards/7/b", "judged"),  # judged under any host
        (b"PUT", b"x", b"/boards/7/b", "relayed"),
        (b"POST", b"x", b"/", None),
        (b"OPTIONS", b"x", b"*", None),
    ],
)
def test_hosts_that_a_route_names_and_paths_that_none_judges_go_on(
    hosted: Router[str], method: bytes, host: bytes, target: bytes, route: str | None
) -> None:
    assert hosted.find(method, host, target).route == route


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


SEALED = {
    "POST /api/rooms/{room}/danmaku": "judged",
    "POST /api/rooms/{room}/danmaku/{id}/like": "named",
    "DELETE /api/rooms/{room}/danmaku/{id}": "named",
    "POST /open/{room}": "open",
    "POST /legacy/send.do": "judged",
    "POST site.example/posts/{room}": "judged",
    "POST /any/{one}/{other}": "named",
    "POST /any/{one}/say": "judged",
    "POST /": "judged",
}


@pytest.fixture
def sealed() -> Router[str]:
    rows = [(parse_template(text), name) for text, name in SEALED.items()]
    return Router(rows, lambda name: name != "named", lambda name: name == "judged")


@pytest.mark.parametrize("method", [b"PUT", b"PATCH", b"DELETE", b"PROPFIND", b"LINK", b"X-POST"])
@pytest.mark.parametrize(
    "target", [b"/api/rooms/1/danmaku", b"/api/rooms/1/danmaku/7/reply", b"/api/rooms/1/danmaku?a=1"]
)
def test_nothing_is_written_there_that_no_route_names(sealed: Router[str], method: bytes, target: bytes) -> None:
    with pytest.raises(HTTPError) as caught:
        sealed.find(method, b"h", target)
    assert (caught.value.reason, caught.value.status) == ("route.unjudged", 403)


@pytest.mark.parametrize(
    ("method", "target", "route"),
    [
        (b"POST", b"/api/rooms/1/danmaku", "judged"),
        (b"POST", b"/api/rooms/1/danmaku/7/like", "named"),
        (b"DELETE", b"/api/rooms/1/danmaku/7", "named"),
        (b"POST", b"/api/rooms/1/like", None),
        (b"POST", b"/api/rooms/1", None),
        (b"POST", b"/api/rooms/1/danmaku-settings", None),
        (b"POST", b"/other", None),
        (b"PUT", b"/open/7", None),
        (b"POST", b"/open/7/8", None),
        (b"GET", b"/api/rooms/1/danmaku", None),
        (b"GET", b"/api/rooms/1/danmaku.json", None),
        (b"HEAD", b"/api/rooms/1/danmaku%20", None),
        (b"OPTIONS", b"/index.php/api/rooms/1/danmaku", None),
        (b"POST", b"/any/1/2", "named"),
        (b"POST", b"/posts", None),
    ],
)
def test_what_is_named_or_lies_beside_it_goes_on(
    sealed: Router[str], method: bytes, target: bytes, route: str | None
) -> None:
    assert sealed.find(method, b"h", target).route == route


@pytest.mark.parametrize(
    ("method", "target"),
    [
        (b"POST", b"/api/rooms/1/danmaku.json"),
        (b"PUT", b"/api/rooms/1/danmaku.xml"),
        (b"POST", b"/api/rooms/1/danmaku%20"),
        (b"POST", b"/api/rooms/1/danmaku."),
        (b"POST", b"/index.php/api/rooms/1/danmaku"),
        (b"POST", b"/index.php/api/rooms/1/danmaku/7"),
        (b"POST", b"/index.php?s=/api/rooms/1/danmaku"),
        (b"PATCH", b"/API/rooms/1/danmaku"),
        (b"POST", b"/legacy/send"),
        (b"POST", b"/legacy/send.json"),
        (b"POST", b"/any/1/say.json"),
        (b"POST", b"/any/1/%20say"),
    ],
)
def test_no_spelling_of_it_goes_on(sealed: Router[str], method: bytes, target: bytes) -> None:
    with pytest.raises(HTTPError) as caught:
        sealed.find(method, b"h", target)
    assert caught.value.reason == "path.lookalike"


def test_a_sealed_address_of_one_host_is_sealed_under_strange_ones(sealed: Router[str]) -> None:
    for host in (b"site.example", b"h"):
        with pytest.raises(HTTPError, match="unjudged"):
            sealed.find(b"PUT", host, b"/posts/7")
        with pytest.raises(HTTPError, match="lookalike"):
            sealed.find(b"POST", host, b"/x.php/posts/7")


SPELLED = st.lists(
    st.sampled_from(["", ".", "x/..", "%2e", "x/%2e%2e", "x//..", "/..", "..", ";a", "%2F", "%5c"]), max_size=2
)


@pytest.mark.parametrize(
    "path", [b"/api/;a//../rooms/1/danmaku", b"/api//x/../../rooms/1/danmaku", b"/x//%2e%2e;a/y", b"/x/%2f/%252e./y"]
)
def test_what_goes_up_past_nothing_is_not_written_to(path: bytes) -> None:
    """Which segment it takes away hangs on whether the reader has merged slashes before, or left out parameters."""
    router = Router([(parse_template("POST /api/rooms/{room}/danmaku"), "judged")])
    with pytest.raises(HTTPError):
        router.find(b"POST", b"h", path)
    assert router.find(b"GET", b"h", b"/x//../y").route is None


def decoded(path: bytes) -> bytes:
    """Decoded once, then read as a server does that knows dot segments and merges slashes, in either order."""
    return unquote_to_bytes(path)


def merged(path: bytes) -> bytes:
    return re.sub(rb"/+", b"/", path)


READERS = [
    lambda path: path,
    lambda path: normalise(path).path,
    shadow,
    merged,
    lambda path: remove_dot_segments(merged(path)),
    lambda path: merged(remove_dot_segments(path)),
    lambda path: remove_dot_segments(merged(decoded(path))),
    lambda path: merged(remove_dot_segments(decoded(path))),
    lambda path: merged(remove_dot_segments(decoded(decoded(path)))),
]


@given(st.tuples(SPELLED, SPELLED, SPELLED, SPELLED, SPELLED), st.sampled_from([0, 1, 2, 3]), st.booleans())
def test_no_spelling_of_a_judged_address_goes_on_as_it_came(
    between: tuple[list[str], ...], encoded: int, last: bool
) -> None:
    """What nobody judges goes on byte for byte: then no reader may find a judged address in it."""
    router = Router([(parse_template("POST /api/rooms/{room}/danmaku"), "judged")])
    names = ["api", "rooms", "1", "danmaku"]
    names[encoded] = "".join(f"%{ord(letter):02x}" for letter in names[encoded])
    parts = [*between[0]]
    for name, more in zip(names, between[1:], strict=True):
        parts += [name, *more]
    path = ("/" + "/".join(parts) + "/" * last).encode()
    try:
        found = router.find(b"POST", b"h", path)
    except HTTPError:
        return
    if found.route is None:
        for reader in READERS:
            assert reader(path).lower().rstrip(b"/") != b"/api/rooms/1/danmaku", path
