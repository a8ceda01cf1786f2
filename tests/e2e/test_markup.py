"""Markup on its way through a node: each route undoes what it says, or what its surface does where it says nothing."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.lab import Lab, lab

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORD = "网上赌博"
TAGS = "网<b>上</b>赌博"
REFERENCES = "&#32593;&#19978;赌博"
EMPHASIS = "网*上*赌__博"
SCRIPT = "网<script>x</script>上赌博"

ROUTE = """
[[routes]]
name = "{name}"
match = "POST /{name}/{{room}}"
surface = "{surface}"
upstream = "platform"
policy = "{policy}"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
{more}
"""
ROUTES = (
    ("profile", "profile", "comment", ""),
    ("group", "group", "comment", ""),
    ("bullets", "danmaku", "comment", 'page = "/videos/{room}"'),
    ("plain", "comment", "comment", 'markup = "off"'),
    ("markdown", "comment", "comment", 'markup = "markdown"'),
    ("masked", "comment", "masked", ""),
    ("split", "danmaku", "split", 'page = "/videos/{room}"\nmarkup = "html"'),
)
MORE = """
[mirror]
[lists.split]
path = "spam.txt"
window = "60s"
[lists.raw]
path = "raw.txt"
kind = "patterns"
[policies.masked]
appeal = "off"
rules = [{ check = "keywords", action = "mask", on_error = "reject", ground = "agreement 3.1", lists = ["spam"] }]
[policies.split]
appeal = "off"
rules = [
  { check = "keywords", action = "reject", on_error = "reject", ground = "agreement 3.1", lists = ["split", "raw"] },
]
""" + "".join(
    ROUTE.format(name=name, surface=surface, policy=policy, more=more) for name, surface, policy, more in ROUTES
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    folder = tmp_path_factory.mktemp("markup")
    (folder / "raw.txt").write_text("@match raw\n<marquee[ >]\n", encoding="utf-8")
    async with lab(folder, words=f"{WORD}\n", more=MORE) as made:
        await made.invite(80)
        yield made
        await made.sound(WORD, TAGS)


async def refused(gate: Lab, path: str, text: str) -> bool:
    answer = await gate.node.say(next(gate.people), text, path)
    assert answer.status in (200, 201, 451, 403, 422), answer
    return answer.status not in (200, 201)


@pytest.mark.parametrize(
    ("path", "undone"),
    [
        ("/api/articles/1/comments", {TAGS, REFERENCES, SCRIPT}),
        ("/profile/1", {TAGS, REFERENCES, SCRIPT}),
        ("/group/1", set()),
        ("/bullets/1", set()),
        ("/plain/1", set()),
        ("/markdown/1", {TAGS, REFERENCES, SCRIPT, EMPHASIS}),
    ],
)
async def test_what_a_route_undoes(gate: Lab, path: str, undone: set[str]) -> None:
    found = {text for text in (TAGS, REFERENCES, SCRIPT, EMPHASIS) if await refused(gate, path, text)}
    assert found - {EMPHASIS} == undone - {EMPHASIS}
    assert EMPHASIS not in undone or EMPHASIS in found
    assert await refused(gate, path, WORD)
    assert not await refused(gate, path, "<b>好</b> &amp; *fine*")


async def test_a_mask_keeps_the_tags(gate: Lab) -> None:
    answer = await gate.node.say(next(gate.people), f"看<i title='x'>{TAGS}</i>吧", "/masked/1")
    assert answer.status == 201
    sent = json.loads(gate.upstream.received[-1].body)["content"]
    assert sent == "看<i title='x'>*<b>*</b>**</i>吧"


async def test_words_split_over_bullets_with_markup(gate: Lab) -> None:
    sender = next(gate.people)
    assert (await gate.node.say(sender, "网<b>上</b>", "/split/7")).status == 201
    assert (await gate.node.say(sender, "<i>哈哈</i>", "/split/7")).status == 201
    last = await gate.node.say(sender, "<u>&#36172;</u>博", "/split/7")
    assert last.status not in (200, 201)
    other = next(gate.people)
    assert (await gate.node.say(other, "<u>赌</u>博", "/split/7")).status == 201


async def test_a_list_of_raw_patterns_reads_the_tags(gate: Lab) -> None:
    assert await refused(gate, "/split/8", "<marquee>hello</marquee>")
    assert not await refused(gate, "/split/8", "&lt;marquee&gt; hello")
