"""What the outside sees (docs/reasons.md, docs/websocket.md), asked over a real socket of the demo."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from rig.ports import free_port
from tests.e2e.node import Node

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Node]:
    port, control, platform = free_port(), free_port(), free_port()
    node = Node(
        tmp_path_factory.mktemp("demo") / "data", "demo", "--listen", f"127.0.0.1:{port}", "--control",
        f"127.0.0.1:{control}", "--platform", f"127.0.0.1:{platform}", port=port, control_port=control,
    )  # fmt: skip
    await node.start()
    yield node
    assert await node.stop() == 0


_people = iter(range(1, 200))


def somebody() -> str:
    """A verified person that no other test has used: limits are per person."""
    return f"u{next(_people)}"


async def test_a_plain_comment_passes_and_is_named(demo: Node) -> None:
    answer = await demo.say("alice", "A fine piece, thank you")
    assert answer.status == 201
    assert answer.json()["content"] == "A fine piece, thank you"
    assert answer.json()["user"] == "alice"
    assert uuid.UUID(answer.headers["tidegate-message-id"]).version == 7
    assert "tidegate-verdict" not in answer.headers


async def test_browsers_name_their_user_in_a_cookie(demo: Node) -> None:
    answer = await demo.ask(
        "POST", "/api/articles/1/comments", b'{"content": "From a browser"}',
        {"Content-Type": "application/json", "Cookie": "theme=dark; user=bob"},
    )  # fmt: skip
    assert (answer.status, answer.json()["user"]) == (201, "bob")


@pytest.mark.parametrize(
    ("sender", "reason"),
    [("carol", "identity.unverified"), ("mallory", "block.sender"), ("nobody", "identity.unknown")],
)
async def test_who_may_not_speak_learns_why(demo: Node, sender: str, reason: str) -> None:
    answer = await demo.say(sender, "May I?")
    problem = answer.json()
    assert answer.status == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["reason"] == reason
    assert problem["status"] == 403
    assert problem["message_id"] == answer.headers["tidegate-message-id"]
    assert problem["appeal"] == f"/appeals?code={problem['appeal_code']}"
    for name in ("type", "title", "detail", "ground"):
        assert problem[name]


async def test_low_credit_is_labelled(demo: Node) -> None:
    answer = await demo.say("dave", "Hello from dave")
    assert answer.status == 201
    assert answer.json()["label"] == "low credit"


SPAM = "代开发票"
GAMBLING = "网上赌博"
EVASIONS = {
    "plain": ("代开发票，请联系", "spam"),
    "second spam word": ("快来加微信领红包吧", "spam"),
    "third spam word": ("刷单返利日结", "spam"),
    "latin": ("you can buy followers here", "spam"),
    "case": ("BUY Followers NOW", "spam"),
    "full width": ("ｂｕｙ　ｆｏｌｌｏｗｅｒｓ", "spam"),
    "traditional": ("網上賭博", "gambling"),
    "second gambling word": ("网上赌场开户送彩金", "gambling"),
    "zero width": ("网\u200b上\u200d赌\ufeff博", "gambling"),
    "bidi controls": ("网\u202e上\u202c赌\u2066博\u2069", "gambling"),
    "variation selectors": ("网\ufe0f上\ufe0e赌\U000e0100博", "gambling"),
    "separators": ("网.上-赌_博", "gambling"),
    "separators beyond ascii": ("网·上★赌。博", "gambling"),
    "emoji between": ("网😀上🎲赌🎰博", "gambling"),
    "spaces": ("网 上 赌 博", "gambling"),
    "repeats": ("网网网上上赌赌赌博", "gambling"),
    "combining marks": ("代\u0336开\u0336发\u0336票\u0336", "spam"),
    "styled letters": ("𝓫𝓾𝔂 𝓯𝓸𝓵𝓵𝓸𝔀𝓮𝓻𝓼", "spam"),
    "circled letters": ("ⓑⓤⓨ ⓕⓞⓛⓛⓞⓦⓔⓡⓢ", "spam"),
    "look-alikes": ("buу fоllоwеrs", "spam"),  # Cyrillic у, о, е
}


@pytest.mark.parametrize("name", EVASIONS)
async def test_words_are_found_through_evasions(demo: Node, name: str) -> None:
    text, category = EVASIONS[name]
    answer = await demo.say(somebody(), text)
    problem = answer.json()
    assert (answer.status, problem["reason"], problem["category"]) == (403, "keyword.match", category)
    # No refusal tells the list's internals.
    assert not {"word", "spans", "list", "digest"} & problem.keys()
    assert SPAM not in str(problem)
    assert GAMBLING not in str(problem)


@pytest.mark.parametrize(
    "text", ["反网上赌博", "我们要反網上賭博！", "网络上的赌博电影", "idiotic 不算", "今天天气不错"]
)
async def test_what_only_looks_like_a_word_passes(demo: Node, text: str) -> None:
    answer = await demo.say(somebody(), text)
    assert (answer.status, answer.headers.get("tidegate-verdict")) == (201, None)


@pytest.mark.parametrize(
    ("text", "published"),
    [
        ("You idiot, really", "You *****, really"),
        ("你这个傻瓜", "你这个**"),
        ("you 𝓲𝓭𝓲𝓸𝓽", "you *****"),
        ("傻\u200b瓜!", "***!"),
        ("idiot 和傻瓜", "***** 和**"),
    ],
)
async def test_abuse_is_masked_and_the_sender_told(demo: Node, text: str, published: str) -> None:
    answer = await demo.say(somebody(), text)
    assert (answer.status, answer.json()["content"]) == (201, published)
    assert answer.headers["tidegate-verdict"] == "mask"


async def test_a_comment_on_news_waits_for_a_person_and_appears_once_approved(demo: Node) -> None:
    answer = await demo.say(somebody(), "what happened next?", "/api/news/7/comments")
    assert (answer.status, answer.json()["status"]) == (202, "held")
    message, place = answer.json()["message_id"], answer.json()["status_url"]
    assert (await demo.ask("GET", place)).json()["status"] == "held"
    assert (await demo.ask("GET", "/api/news/7/comments")).json() == {"messages": []}
    async with asyncio.timeout(60):
        while not (cases := (await demo.manage("GET", f"/v1/review/cases?message={message}")).json()["cases"]):
            await asyncio.sleep(0.1)
        case = cases[0]["id"]
        assert (await demo.manage("POST", "/v1/review/cases:claim", {"cases": [case]})).status < 300
        assert (await demo.manage("POST", f"/v1/review/cases/{case}:approve", {})).status < 300
        while (await demo.ask("GET", place)).json()["status"] == "held":  # it can be taken back for ten seconds
            await asyncio.sleep(0.2)
        while not (shown := (await demo.ask("GET", "/api/news/7/comments")).json()["messages"]):
            await asyncio.sleep(0.1)
    assert [one["content"] for one in shown] == ["what happened next?"]


async def test_a_flood_is_limited_and_told_when_to_return(demo: Node) -> None:
    sender = somebody()
    answers = [await demo.say(sender, f"message number {number} of a flood") for number in range(7)]
    assert [answer.status for answer in answers[:5]] == [201] * 5
    limited = answers[-1]
    assert (limited.status, limited.json()["reason"]) == (429, "limit.sender")
    assert 1 <= int(limited.headers["retry-after"]) <= 10
    assert "ratelimit" in limited.headers


async def test_repeats_are_refused(demo: Node) -> None:
    sender = somebody()
    answers = [await demo.say(sender, f"Read this{'!' * number}") for number in range(4)]
    assert [answer.status for answer in answers] == [201, 201, 201, 429]
    assert answers[-1].json()["reason"] == "repeat.sender"


async def test_an_edit_is_judged_like_a_new_message(demo: Node) -> None:
    sender = somebody()
    made = (await demo.say(sender, "before the edit")).json()
    path = f"/api/articles/1/comments/{made['id']}"
    fields = {"Content-Type": "application/json", "X-User-Id": sender}
    refused = await demo.ask("PUT", path, '{"content": "代开发票"}'.encode(), fields)
    passed = await demo.ask("PUT", path, b'{"content": "after the edit"}', fields)
    assert (refused.status, refused.json()["reason"]) == (403, "keyword.match")
    assert (passed.status, passed.json()["content"]) == (200, "after the edit")


async def test_what_no_route_matches_is_relayed(demo: Node) -> None:
    answer = await demo.ask("GET", "/api/articles/1/comments")
    assert answer.status == 200
    assert isinstance(answer.json()["messages"], list)
    page = await demo.ask("GET", "/articles/1")
    assert b"See what the gate did" in page.body or b"see what the gate did" in page.body


async def test_a_client_cannot_forge_our_fields(demo: Node) -> None:
    answer = await demo.say(somebody(), "forged", **{"Tidegate-Label": "editor's choice", "Tidegate-Message-Id": "1"})
    assert answer.status == 201
    assert answer.json()["label"] == ""
    assert answer.headers["tidegate-message-id"] != "1"


async def test_everything_answered_is_in_the_journal(demo: Node) -> None:
    sender = somebody()
    passed = await demo.say(sender, "for the record")
    refused = await demo.say(sender, "for the record: 代开发票")
    judged = {record["id"]: record for record in demo.records() if record["kind"] == "judged"}
    first = judged[passed.headers["tidegate-message-id"]]
    second = judged[refused.headers["tidegate-message-id"]]
    assert (first["verdict"], first["sender"], first["content"]["plain"]) == ("pass", sender, ["for the record"])
    assert second["verdict"] == "reject"
    (finding,) = second["findings"]
    assert finding["reason"] == "keyword.match"
    assert finding["spans"] == [[16, 20]]
    for name in ("ground", "digest", "word", "list"):
        assert finding[name] not in ("", None)
    async with asyncio.timeout(30):
        while True:
            outcomes = {r["id"]: r for r in demo.records() if r["kind"] == "outcome"}
            if passed.headers["tidegate-message-id"] in outcomes:
                break
            await asyncio.sleep(0.01)
    outcome = outcomes[passed.headers["tidegate-message-id"]]
    assert (outcome["state"], outcome["status"]) == ("delivered", 201)
    assert outcome["upstream_id"] == str(passed.json()["id"])


async def test_the_control_address_tells_health_and_metrics(demo: Node) -> None:
    assert (await demo.manage("GET", "/healthz")).status == 200
    assert (await demo.manage("GET", "/readyz")).status == 200
    metrics = (await demo.manage("GET", "/metrics")).body.decode()
    assert "tidegate_messages_total{" in metrics
    assert "tidegate_check_seconds_bucket" in metrics
    assert "\ntidegate_mirror_bullets_total " in metrics
    assert "\ntidegate_mirror_lag_seconds " in metrics
    assert (await demo.ask("GET", "/metrics")).status == 404  # the platform's own answer: not on the public side
