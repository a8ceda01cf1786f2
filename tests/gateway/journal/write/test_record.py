"""Laws 1, 7 and 12 as far as records hold them."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.checks import credit, identity, keywords
from filters.model.message import Message
from filters.model.rule import Rule
from filters.model.verdict import Account, Decided, Facts, Finding, Hit, Scan, Verdict
from filters.policy import Policy, judge
from gateway.journal.write import encoding
from gateway.journal.write.record import (
    ACCESS,
    CONTENT,
    DISPOSITION,
    UNDELAYED,
    Basis,
    Unattributed,
    Unexplained,
    act,
    delivered,
    judged,
    outcome,
    review,
)

LISTS = {"spam": "a" * 64}
HIT = Hit("spam", "a" * 64, 17, "fraud", 5, 0, ((2, 4),))
MESSAGE = Message(
    "0192",
    "comment",
    "comments",
    "r1",
    "alice",
    ("a 诈骗 b",),
    1_700_000_000_000_000,
    device="d-1",
    ip="203.0.113.7",
    registrant="reg",
    location="Kunming",
)
RULES = [
    Rule("identity", "reject", "reject", identity.Options(), ground="2.1"),
    Rule("keywords", "reject", "reject", keywords.Options(("spam",)), ground="3.4"),
    Rule("credit", "label", "pass", credit.Options(40), mode="shadow"),
]
POLICY = Policy("comment", "p" * 64, RULES)
KNOWN = Facts(account=Account(True))


def basis(**settings: Any) -> Basis:
    return Basis("comments", "comment", POLICY, LISTS, **settings)


def plain(record: dict[str, Any]) -> dict[str, Any]:
    return orjson.loads(orjson.dumps(record))


def test_a_plain_pass() -> None:
    record = plain(judged(MESSAGE, judge(POLICY, MESSAGE, Scan(), KNOWN), basis(content="findings")))
    assert record == {
        "kind": "judged",
        "id": "0192",
        "time": 1_700_000_000_000_000,
        "route": "comments",
        "surface": "comment",
        "room": "r1",
        "sender": "alice",
        "verdict": "pass",
        "policy": "p" * 64,
        "lists": LISTS,
    }


def test_a_refusal_says_why() -> None:
    scan = Scan(hits={"spam": (HIT,)})
    record = plain(judged(MESSAGE, judge(POLICY, MESSAGE, scan, KNOWN), basis(content="findings")))
    assert record["verdict"] == "reject"
    assert record["findings"] == [
        {
            "check": "keywords",
            "reason": "keyword.match",
            "effect": "reject",
            "ground": "3.4",
            "list": "spam",
            "digest": "a" * 64,
            "word": 17,
            "category": "fraud",
            "severity": 5,
            "field": 0,
            "spans": [[2, 4]],
        }
    ]
    assert record["content"] == {"key": "", "plain": ["a 诈骗 b"]}


def test_shadow_stands_apart_and_degraded_is_said() -> None:
    facts = Facts(account=Account(True, credit=10))
    record = plain(judged(MESSAGE, judge(POLICY, MESSAGE, Scan(), facts), basis()))
    assert record["verdict"] == "pass"
    assert "findings" not in record
    assert record["shadow"][0] == {
        "check": "credit",
        "reason": "credit.low",
        "effect": "label",
        "ground": "",
        "detail": {"credit": 10},
    }
    missing = Facts(missing={"account": "state.deadline"})
    record = plain(judged(MESSAGE, judge(POLICY, MESSAGE, Scan(), missing), basis()))
    assert record["degraded"] == ["identity:state.deadline"]
    assert record["findings"][0]["degraded"] is True
    assert record["findings"][0]["ground"] == "2.1"


@pytest.mark.parametrize(
    ("content", "hit", "kept"),
    [
        ("always", False, True),
        ("always", True, True),
        ("findings", False, False),
        ("findings", True, True),
        ("never", False, False),
        ("never", True, False),
    ],
)
def test_content_is_kept_as_the_route_says(content: str, hit: bool, kept: bool) -> None:
    scan = Scan(hits={"spam": (HIT,)}) if hit else Scan()
    record = judged(MESSAGE, judge(POLICY, MESSAGE, scan, KNOWN), basis(content=content))
    assert ("content" in record) is kept
    assert ("诈骗" in orjson.dumps(record).decode()) is kept


@pytest.mark.parametrize("keep", [(), ("ip",), ("device", "location"), ("ip", "device", "location", "registrant")])
def test_personal_fields_only_where_they_are_named(keep: tuple[str, ...]) -> None:
    """Law 7."""
    record = judged(MESSAGE, POLICY.passed, basis(content="never", keep=keep))
    written = orjson.dumps(record).decode()
    for name in ("ip", "device", "location", "registrant"):
        assert (getattr(MESSAGE, name) in written) is (name in keep)
    assert set(record.get("personal", {"plain": {}})["plain"]) == set(keep)


def test_a_missing_personal_field_is_left_out() -> None:
    record = judged(MESSAGE._replace(ip=""), POLICY.passed, basis(keep=("ip",)))
    assert "personal" not in record


def test_every_field_belongs_to_one_class() -> None:
    message = MESSAGE._replace(parts=("/image",), edit=True, playback_ms=5, shown_sender="Al", weak=True)
    verdict = Verdict(
        "reject",
        "p" * 64,
        (Decided(RULES[1], Finding("keywords", "keyword.match", HIT), "reject"),),
        (Decided(RULES[2], Finding("credit", "credit.low"), "label"),),
        ("synthetic",),
        None,
        ("limit:state.deadline",),
    )
    record = judged(message, verdict, basis(keep=("ip",)))
    classes = [*ACCESS, *CONTENT, *DISPOSITION]
    # What carries the message adds its trace, a print stands where the content is not kept, a delay where it passes,
    # the rest is of who releases one that was held, or restores one that was taken down.
    added = {"trace", "print", "delay", "sent_at", "releases", "restores", "approved_by"}
    assert sorted({*record, *added} - {"kind"}) == sorted(classes)
    assert len(set(classes)) == len(classes)


@pytest.mark.parametrize(
    "decided",
    [
        Decided(Rule("keywords", "reject", "reject", None), Finding("keywords", "keyword.match", HIT), "reject"),
        Decided(RULES[1], Finding("keywords", "", HIT), "reject"),
        Decided(RULES[1], Finding("", "keyword.match", HIT), "reject"),
        Decided(RULES[1], Finding("keywords", "keyword.match"), "reject"),
        Decided(RULES[1], Finding("keywords", "keyword.match", HIT._replace(digest="")), "reject"),
        Decided(RULES[1], Finding("keywords", "keyword.match", HIT._replace(spans=())), "reject"),
    ],
)
def test_no_verdict_without_a_why(decided: Decided) -> None:
    """Law 1."""
    with pytest.raises(Unexplained) as caught:
        judged(MESSAGE, Verdict("reject", "p" * 64, (decided,)), basis())
    assert "诈骗" not in str(caught.value)


def test_no_disposition_and_no_policy_without_a_why() -> None:
    with pytest.raises(Unexplained):
        judged(MESSAGE, Verdict("reject", "p" * 64), basis())
    with pytest.raises(Unexplained):
        judged(MESSAGE, Verdict("pass", ""), basis())


@pytest.mark.parametrize(
    ("policy", "lists"),
    [
        (Policy("p", "", []), {}),
        (Policy("p", "d", [Rule("identity", "reject", "pass", identity.Options())]), {}),
        (Policy("p", "d", [Rule("identity", "label", "reject", identity.Options())]), {}),
        (POLICY, {}),
        (POLICY, {"spam": ""}),
    ],
)
def test_a_policy_that_could_deny_without_a_why_is_refused_before_it_judges(
    policy: Policy, lists: dict[str, str]
) -> None:
    with pytest.raises(Unexplained):
        Basis("comments", "comment", policy, lists)


def test_settings_of_a_basis_are_checked() -> None:
    with pytest.raises(ValueError, match="content is"):
        basis(content="sometimes")
    with pytest.raises(ValueError, match="keep knows"):
        basis(keep=("shoe_size",))


def test_outcomes() -> None:
    record = outcome("m", "delivered", status=201, upstream_id="77")
    assert {name: record[name] for name in ("kind", "id", "state", "status", "upstream_id")} == {
        "kind": "outcome",
        "id": "m",
        "state": "delivered",
        "status": 201,
        "upstream_id": "77",
    }
    assert outcome("m", "failed", reason="upstream.timeout")["reason"] == "upstream.timeout"
    with pytest.raises(Unexplained):
        outcome("m", "failed")
    with pytest.raises(ValueError, match="an outcome is one of"):
        outcome("m", "lost", reason="x")


def test_acts_have_a_person_a_reason_and_a_time() -> None:
    """Law 12."""
    record = act("a1", "Li Hua", "flood", "block.add", target={"sender": "bob"}, undoes="a0")
    assert record["time"] > 1_700_000_000_000_000
    assert (record["person"], record["reason"], record["undoes"]) == ("Li Hua", "flood", "a0")
    with pytest.raises(Unattributed):
        act("a1", "  ", "flood", "block.add", target={})
    with pytest.raises(Unattributed):
        act("a1", "Li Hua", "", "block.add", target={})


names = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)


@given(
    room=names, sender=names, texts=st.lists(names, min_size=1, max_size=2).map(tuple), edit=st.booleans(),
    playback=st.sampled_from((-1, 0, 5)), shown=names, parts=st.sampled_from(((), ("/image",))),
    content=st.sampled_from(("always", "findings", "never")), keep=st.sampled_from(((), ("ip",))),
)  # fmt: skip
def test_the_template_gives_the_bytes_of_the_record(room, sender, texts, edit, playback, shown, parts, content, keep):
    message = MESSAGE._replace(
        room=room, sender=sender, texts=texts, edit=edit, playback_ms=playback, shown_sender=shown, parts=parts
    )
    made = Basis("100% route", "comment", POLICY, {"spam": "d" * 64, "abuse": "e" * 64}, content, keep)
    assert made.fields(message, POLICY.passed) == encoding.fields(judged(message, POLICY.passed, made))


@given(upstream_id=names, route=names.filter(bool), status=st.integers(100, 399))
def test_a_delivery_has_the_bytes_of_its_outcome(upstream_id, route, status):
    told = outcome(MESSAGE.id, "delivered", status=status, upstream_id=upstream_id, route=route)
    fields = delivered(MESSAGE.id, status, upstream_id, route)
    assert orjson.loads(b"{%b}" % fields) == {**told, "time": orjson.loads(b"{%b}" % fields)["time"]}
    assert list(orjson.loads(b"{%b}" % fields)) == list(told)


def test_a_review_names_its_person_with_the_act() -> None:
    """Law 12."""
    record = review("m", "refused", person="Li Hua", act="a1", reason="review.refused", ground="3")
    assert (record["kind"], record["person"], record["act"], "release" in record) == ("review", "Li Hua", "a1", False)
    assert set(review("m", "expired")) == {"kind", "id", "time", "state"}
    with pytest.raises(Unattributed):
        review("m", "refused", person="Li Hua")


@pytest.mark.parametrize("plain", [True, False])
def test_a_delay_is_told_of_what_waits_for_it(plain: bool) -> None:
    route = Basis("comments", "comment", POLICY, LISTS, delay=2.5)
    passed = POLICY.passed if plain else POLICY.passed._replace(labels=("synthetic",))
    assert orjson.loads(b"{%b}" % route.fields(MESSAGE, passed))["delay"] == 2.5
    undelayed = passed._replace(degraded=(UNDELAYED,))
    refused = Verdict("reject", "p" * 64, (Decided(RULES[0], Finding("identity", "identity.unknown"), "reject"),))
    for other in (undelayed, refused):
        assert "delay" not in judged(MESSAGE, other, route)
