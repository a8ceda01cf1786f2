"""The contract told from outside, held to the policy that judges inside."""

import itertools

import pytest

from filters.checks import CHECKS
from filters.model.limits import parse_limit
from filters.model.message import Message
from filters.model.rule import Repeat, Rule
from filters.model.verdict import Account, Block, Facts, Hit, RepeatFact, Scan
from filters.policy import Policy, judge
from loadtest.crowd.corpus import Line
from loadtest.crowd.people import Certainty, Standing
from loadtest.verdicts.answers import Broken, fault_of, notice_in, read
from loadtest.verdicts.expectation import MASK, PASS, Outcome, WrongVerdict, expected

LINES = {
    "plain": Line("good", "plain", "good", "", b"1"),
    "denied": Line("代开发票", "denied", "代开发票", "spam", b"2"),
    "masked": Line("傻瓜", "masked", "**", "", b"3"),
}


def rule(check: str, action: str, **options: object) -> Rule:
    return Rule(check, action, "reject", CHECKS[check].options(**options), "ground")  # type: ignore[arg-type]


def policy() -> Policy:
    """The rules of loadtest/target/node.toml, in its order."""
    return Policy(
        "demo", "digest",
        [
            rule("identity", "reject"), rule("block", "reject"), rule("room", "reject"),
            rule("limit", "reject", limits=(parse_limit("sender 5/10s"), parse_limit("ip 1000/1m"))),
            rule("keywords", "reject", lists=("spam",)), rule("keywords", "mask", lists=("abuse",)),
            rule("repeats", "reject", repeat=Repeat("sender", 3, 60_000_000)), rule("credit", "label", below=40),
        ],
    )  # fmt: skip


def judged(standing: Standing, line: Line, used_up: bool, repeated: bool, address: bool) -> Outcome:
    account = (
        None if standing == "unknown" else Account(standing != "unverified", credit=20 if "low" in standing else 100)
    )
    hits = {}
    for name, kind in (("spam", "denied"), ("abuse", "masked")):
        if line.kind == kind:
            hits[name] = (Hit(name, "digest", 1, name, 5, 0, ((0, len(line.text)),)),)
    facts = Facts(
        account, (Block("sender", "r"),) if standing == "blocked" else (), (int(used_up), int(address)),
        (RepeatFact(4 if repeated else 1),),
    )  # fmt: skip
    message = Message("id", "comment", "r", "1", "u1", (line.text,), 1)
    verdict = judge(policy(), message, Scan(hits, {}, line.mark, 4), facts)
    if verdict.disposition == "reject":
        assert verdict.leading is not None
        return Outcome("reject", verdict.leading.finding.reason)
    return MASK if verdict.texts is not None else PASS


CERTAIN: dict[bool, Certainty] = {False: "no", True: "yes"}
STANDINGS: tuple[Standing, ...] = ("verified", "low credit", "unverified", "unknown", "blocked")


@pytest.mark.parametrize("standing", STANDINGS)
@pytest.mark.parametrize("kind", LINES)
def test_what_is_certain_is_what_the_policy_decides(standing: Standing, kind: str) -> None:
    line = LINES[kind]
    for used_up, repeated, address in itertools.product((False, True), repeat=3):
        told = expected(standing, line, CERTAIN[used_up], CERTAIN[repeated], CERTAIN[address])
        assert told == {judged(standing, line, used_up, repeated, address)}


@pytest.mark.parametrize("standing", STANDINGS)
@pytest.mark.parametrize("kind", LINES)
def test_a_doubt_allows_either_and_nothing_else(standing: Standing, kind: str) -> None:
    line = LINES[kind]
    either = {
        judged(standing, line, used_up, repeated, address)
        for used_up, repeated, address in itertools.product((False, True), repeat=3)
    }
    assert expected(standing, line, "maybe", "maybe", "maybe") == either


def test_a_wrong_verdict_names_neither_text_nor_sender() -> None:
    told = str(WrongVerdict(LINES["denied"], "verified", frozenset((PASS, MASK)), "limit.ip"))
    assert told == "wrong verdict: denied text of a sender verified: expected mask or pass, got limit.ip"
    assert LINES["denied"].text not in told


HEADERS = {"tidegate-message-id": "m1", "retry-after": "3"}
PROBLEM = b'{"reason":"keyword.match","message_id":"m1","category":"spam"}'


def fault(status: int, headers: dict[str, str], body: bytes, kind: str, sender: str = "u1", **more: bool) -> str:
    return fault_of(read(status, headers, body), LINES[kind], sender, **{"judged": True, **more})


def test_good_answers_have_no_fault() -> None:
    assert fault(201, HEADERS, b'{"content":"good","user":"u1","label":""}', "plain") == ""
    masked = {**HEADERS, "tidegate-verdict": "mask"}
    assert read(201, masked, b"{}").outcome == MASK
    assert fault(201, masked, b'{"content":"**","user":"u1"}', "masked") == ""
    assert fault(403, HEADERS, PROBLEM, "denied") == ""
    assert fault(429, HEADERS, b'{"reason":"limit.sender","message_id":"m1"}', "plain") == ""
    assert (
        fault(201, HEADERS, b'{"content":"good","user":"dave","label":"low credit"}', "plain", "dave", labelled=True)
        == ""
    )
    assert fault(201, {}, '{"content":"傻瓜","user":"u1"}'.encode(), "masked", judged=False) == ""


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind", "named"),
    [
        (201, {}, b'{"content":"good","user":"u1"}', "plain", "without Tidegate-Message-Id"),
        (201, HEADERS, b'{"content":"bad","user":"u1"}', "plain", "another text"),
        (201, HEADERS, b'{"content":"good","user":"u2"}', "plain", "another name"),
        (201, HEADERS, b'{"content":"good","user":"u1","label":"low credit"}', "plain", "wrong label"),
        (201, {**HEADERS, "tidegate-verdict": "mask"}, b'{"content":"*","user":"u1"}', "masked", "another text"),
        (429, HEADERS, PROBLEM, "denied", "keyword.match with status 429"),
        (403, HEADERS, b'{"reason":"keyword.match","message_id":"m2","category":"spam"}', "denied", "two different"),
        (403, HEADERS, b'{"reason":"keyword.match","message_id":"m1","category":"abuse"}', "denied", "category"),
        (403, HEADERS, PROBLEM.replace(b"}", b',"word":"x"}'), "denied", "internals"),
        (429, {"tidegate-message-id": "m1"}, b'{"reason":"limit.sender","message_id":"m1"}', "plain", "Retry-After"),
    ],
)  # fmt: skip
def test_right_verdicts_told_wrong_are_faults(
    status: int, headers: dict[str, str], body: bytes, kind: str, named: str
) -> None:
    assert named in fault(status, headers, body, kind)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (0, None),
        (502, b'{"reason":"upstream.refused"}'),
        (503, b"{}"),
        (200, b"{}"),
        (403, b"{}"),
        (201, b"<html>"),
        (201, b"[]"),
    ],
)
def test_what_decides_nothing_is_broken(status: int, body: bytes | None) -> None:
    with pytest.raises(Broken):
        read(status, {}, body)


def test_notices_on_a_socket() -> None:
    refusal = notice_in({"type": "tidegate.verdict", "verdict": "reject", "reason": "limit.sender"})
    assert refusal is not None
    assert refusal.outcome == Outcome("reject", "limit.sender")
    mask = notice_in({"type": "tidegate.verdict", "verdict": "mask", "reason": "keyword.match"})
    assert mask is not None
    assert mask.outcome == MASK
    mute = notice_in({"type": "tidegate.verdict", "verdict": "mute", "reason": "socket.muted"})
    assert mute is not None
    assert mute.outcome is None
    assert notice_in({"type": "danmaku", "content": "tidegate.verdict"}) is None
