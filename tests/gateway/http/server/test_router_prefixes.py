"""Routes that take what lies below their address: what they get, what is more specific, and what stays judged."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.http.server.router import Router
from gateway.http.wire.errors import HTTPError
from gateway.http.wire.path import Template, parse_template


def router(*judged: str, relayed: tuple[str, ...] = ()) -> Router[str]:
    """Routes whose name is their match; those that are relayed begin with “-”."""
    routes = [(parse_template(one), one) for one in judged] + [(parse_template(one), f"-{one}") for one in relayed]
    return Router(routes, guarded=lambda name: name[0] != "-", sealed=lambda name: name[0] != "-")


def ask(made: Router[str], method: str, target: str, host: str = "h") -> str | None:
    try:
        return made.find(method.encode(), host.encode(), target.encode()).route
    except HTTPError as error:
        return f"!{error.reason}"


BELOW = "POST /api/comments/{room}/**"


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("/api/comments/7", BELOW),
        ("/api/comments/7/", BELOW),
        ("/api/comments/7/likes", BELOW),
        ("/api/comments/7/likes/8/x.json", BELOW),
        ("/api/comments/7/%E4%BD%A0", BELOW),
        ("/api/comments/7/%e4%bd%a0", BELOW),
        ("/api/comments", None),
        ("/api/comments/", None),
        ("/api/commentsx/7/likes", None),
        ("/api/comments/7//x", "!path.empty_segment"),
        ("/api/comments/7/a;b", "!path.parameters"),
        ("/api/comments/7/%2e%2e/x", "!path.needless_encoding"),
        ("/api/comments/7/a%2Fb", "!path.encoded_slash"),
        ("/API/comments/7/likes", "!path.lookalike"),
        ("/index.php/api/comments/7/likes", "!path.lookalike"),
        ("/api/comments.json/7/likes", "!path.lookalike"),
    ],
)
def test_a_prefix_takes_itself_and_what_lies_below(target: str, told: str | None) -> None:
    assert ask(router(BELOW), "POST", target) == told


def test_other_methods_below_are_refused_and_reading_goes_by() -> None:
    made = router(BELOW)
    assert ask(made, "PUT", "/api/comments/7/likes/1") == "!route.unjudged"
    assert ask(made, "GET", "/api/comments/7/likes/1") is None


def test_placeholders_of_a_prefix_are_told() -> None:
    found = router(BELOW).find(b"POST", b"h", b"/api/comments/%E4%BD%A0/a/b?x=1")
    assert (found.parameters(), found.query, found.depth) == ({"room": "你"}, b"x=1", 4)


def test_what_names_the_whole_path_wins_and_then_the_deepest() -> None:
    made = router(
        "POST /**", "POST /a/**", "POST /a/{x}/b/**", "POST /a/{x}/c", "POST /a/{x}", "POST /a/lit/**", "POST x.h/a/**"
    )
    assert ask(made, "POST", "/z/y") == "POST /**"
    assert ask(made, "POST", "/") == "POST /**"
    assert ask(made, "POST", "/a") == "POST /a/**"
    assert ask(made, "POST", "/a/1") == "POST /a/{x}"
    assert ask(made, "POST", "/a/1/c") == "POST /a/{x}/c"
    assert ask(made, "POST", "/a/lit/c") == "POST /a/{x}/c"
    assert ask(made, "POST", "/a/1/c/d") == "POST /a/**"
    assert ask(made, "POST", "/a/1/b/d/e") == "POST /a/{x}/b/**"
    assert ask(made, "POST", "/a/lit/b/d") == "POST /a/{x}/b/**"
    assert ask(made, "POST", "/a/lit/d") == "POST /a/lit/**"
    assert ask(made, "POST", "/a/1", "x.h") == "POST x.h/a/**"


def test_two_that_take_the_same_are_refused() -> None:
    with pytest.raises(ValueError, match="same requests"):
        router("POST /a/{x}/**", "POST /a/{y}/**")
    assert ask(router("POST /a/{x}", "POST /a/{x}/**"), "POST", "/a/1") == "POST /a/{x}"


@pytest.mark.parametrize("match", ["POST /a/**/b", "POST /a/x**", "POST /a/**/", "POST **"])
def test_two_stars_stand_at_the_end(match: str) -> None:
    with pytest.raises(ValueError, match=r"“\*\*”|is not a match"):
        parse_template(match)


def test_an_address_is_told_as_it_was_written() -> None:
    for address in ("/a/{x}/**", "/**", "h.example/**"):
        assert parse_template(f"POST {address}").address == address


JUDGED = "POST /api/comments/{room}"


@pytest.mark.parametrize(
    ("method", "target", "told"),
    [
        ("POST", "/api/files/1", "-POST|PUT /api/**"),
        ("POST", "/api/comments", "-POST|PUT /api/**"),
        ("POST", "/api/comments/7", JUDGED),
        # what lies at or below a judged address is not named by a prefix above it
        ("POST", "/api/comments/7/likes", "!route.unjudged"),
        ("PUT", "/api/comments/7", "!route.unjudged"),
        ("POST", "/api/Comments/7", "!path.lookalike"),
        ("PUT", "/api/Comments/7/x", "!path.lookalike"),
        ("POST", "/api/comments.json/7", "!path.lookalike"),
        ("POST", "/api/index.php/api/comments/7", "!path.lookalike"),
        ("PUT", "/api/comments/7/", "!route.unjudged"),
        ("POST", "/api/" + "x/" * 200, "!path.lookalike"),
        ("GET", "/api/comments/7", None),
    ],
)
def test_a_relayed_prefix_takes_nothing_of_a_judged_address(method: str, target: str, told: str | None) -> None:
    assert ask(router(JUDGED, relayed=("POST|PUT /api/**",)), method, target) == told


def test_a_relayed_prefix_below_a_judged_address_names_it() -> None:
    made = router(
        JUDGED, "POST /api/**", relayed=("POST|PUT /api/comments/{room}/likes/**", "PUT /api/comments/{r}/**")
    )
    assert ask(made, "POST", "/api/comments/7/likes/1") == "-POST|PUT /api/comments/{room}/likes/**"
    assert ask(made, "PUT", "/api/comments/7/x") == "-PUT /api/comments/{r}/**"
    assert ask(made, "POST", "/api/comments/7/x") == "POST /api/**"
    assert ask(made, "POST", "/api/comments/7") == JUDGED


def test_a_relayed_prefix_of_a_host_takes_nothing_of_an_address_that_is_judged_for_all() -> None:
    made = router(JUDGED, relayed=("POST files.example/**",))
    assert ask(made, "POST", "/api/comments/7", "files.example") == "!route.unjudged"
    assert ask(made, "POST", "/upload", "files.example") == "-POST files.example/**"


def test_a_judged_prefix_of_a_host_is_refused_under_others() -> None:
    made = router("POST forum.example/posts/**")
    assert ask(made, "POST", "/posts/1/2", "forum.example") == "POST forum.example/posts/**"
    assert ask(made, "POST", "/posts/1/2", "other.example") == "!route.host"


SEGMENT = st.sampled_from(["a", "b", "c", "7"])
PATHS = st.lists(SEGMENT, max_size=4).map(tuple)
PATTERNS = st.tuples(st.lists(st.sampled_from(["a", "b", "{x}"]), max_size=3).map(tuple), st.booleans())


def written(pattern: tuple[tuple[str, ...], bool]) -> str:
    parts, below = pattern
    named = [f"{{v{at}}}" if part == "{x}" else part for at, part in enumerate(parts)]
    return "POST /" + "/".join([*named, *(["**"] if below else [])])


def fits(template: Template, path: tuple[str, ...]) -> bool:
    own = [one for one in template.segments if one != b""]
    if len(path) < len(own) or (len(path) > len(own) and not template.below):
        return False
    return all(one is None or one == part.encode() for one, part in zip(own, path, strict=False))


@settings(max_examples=400, deadline=None)
@given(st.sets(PATTERNS, min_size=1, max_size=6), PATHS)
def test_the_choice_is_that_of_the_plain_rule(
    patterns: set[tuple[tuple[str, ...], bool]], path: tuple[str, ...]
) -> None:
    """Whole paths before prefixes, deeper prefixes before others, and a judged address is never nobody's."""
    made = router(*map(written, patterns))
    told = ask(made, "POST", "/" + "/".join(path))
    fitting = [one for one in map(written, patterns) if fits(parse_template(one), path)]
    whole = [one for one in fitting if not parse_template(one).below]
    if whole:
        assert told in whole
    elif fitting:
        deepest = max(len(parse_template(one).segments) for one in fitting)
        assert told in [one for one in fitting if len(parse_template(one).segments) == deepest]
    else:
        assert told is None or told.startswith("!")
