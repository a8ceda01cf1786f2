"""judge: pure, total, and true to its laws for every mixture of findings, facts and failures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.checks import CHECKS, block, credit, crowd, identity, keywords, limit, parts, repeats
from filters.model.limits import Limit
from filters.model.message import Message, Vouched
from filters.model.rule import Asks, Repeat, Rule
from filters.model.verdict import Account, Block, Decided, Facts, Finding, Hit, Missing, RepeatFact, RoomFact, Scan
from filters.policy import REMEMBERED, WEIGHT, Policy, judge, masked
from tests import samples

MESSAGE = Message("id", "comment", "r", "room", "alice", ("some text here",), 1_000_000)
HIT = Hit("spam", "d1", 3, "spam", 5, 0, ((5, 9),))

CASES: dict[str, tuple[object, Scan, Facts]] = {
    "identity": (identity.Options(), Scan(), Facts(account=Account(False))),
    "credit": (credit.Options(40), Scan(), Facts(account=Account(True, credit=20))),
    "limit": (limit.Options((Limit("sender", 5, 10_000_000),)), Scan(), Facts(limits=(700_000,))),
    "keywords": (keywords.Options(("spam",)), Scan({"spam": (HIT,)}), Facts()),
}
FAILURES = {"identity": "account", "credit": "account", "limit": "limits"}

actions = st.sampled_from(["label", "mask", "hold", "reject"])
on_errors = st.sampled_from(["pass", "label", "hold", "reject"])
modes = st.sampled_from(["enforce", "shadow"])
rules = st.lists(st.tuples(st.sampled_from(sorted(CASES)), actions, on_errors, modes), max_size=6)
states = st.fixed_dictionaries({name: st.sampled_from(["clean", "found", "missing"]) for name in CASES})


def world(chosen: dict[str, str], limits: int) -> tuple[Scan, Facts]:
    missing = {
        FAILURES[name]: "state.deadline" for name, state in chosen.items() if state == "missing" and name in FAILURES
    }
    failed = {"spam": "fold.bound"} if chosen["keywords"] == "missing" else {}
    hits = {"spam": (HIT,)} if chosen["keywords"] == "found" else {}
    account = None
    if "account" not in missing:
        account = Account(chosen["identity"] != "found", credit=20 if chosen["credit"] == "found" else 90)
    facts = Facts(
        account=account,
        limits=() if "limits" in missing else (700_000 if chosen["limit"] == "found" else 0,) * limits,
        missing=missing,
    )
    return Scan(hits, failed), facts


@given(rules, states)
def test_laws(drawn: list[tuple[str, str, str, str]], chosen: dict[str, str]) -> None:
    built = [
        Rule(check, action, on_error, CASES[check][0], "g", mode)  # type: ignore[arg-type]
        for check, action, on_error, mode in drawn
    ]
    policy = Policy("p", "digest", built)
    scan, facts = world(chosen, len(policy.asks.limits))
    verdict = judge(policy, MESSAGE, scan, facts)
    effects = [decided.effect for decided in verdict.decided]

    assert verdict.policy == "digest"
    expected = "reject" if "reject" in effects else "hold" if "hold" in effects else "pass"
    assert verdict.disposition == expected
    assert effects == sorted(effects, key=WEIGHT.__getitem__)
    assert (verdict.texts is not None) == ("mask" in effects)
    assert all(decided.rule.mode == "enforce" for decided in verdict.decided)
    assert all(decided.rule.mode == "shadow" for decided in verdict.shadow)

    # Law 4: shadow changes no outcome. Law 3: a failure of an enforced rule is never nothing.
    alone = Policy("p", "digest", [rule for rule in built if rule.mode == "enforce"])
    scan, fewer = world(chosen, len(alone.asks.limits))
    without = judge(alone, MESSAGE, scan, fewer)
    assert without._replace(shadow=verdict.shadow) == verdict
    failing = {
        r.check
        for r in alone.rules
        if (r.check in FAILURES and FAILURES[r.check] in facts.missing) or (r.check == "keywords" and scan.failed)
    }
    assert {name.split(":")[0] for name in verdict.degraded} == failing
    for rule in alone.rules:
        if rule.check in failing and rule.on_error != "pass":
            assert any(d.rule is rule and d.degraded and d.effect == rule.on_error for d in verdict.decided)

    # Law 1: whatever is not a plain pass names check, reason and ground.
    for decided in verdict.decided:
        assert decided.finding.check
        assert decided.finding.reason
        assert decided.rule.ground


def test_a_clean_message_costs_no_new_verdict() -> None:
    policy = Policy("p", "d", [Rule("identity", "reject", "reject", identity.Options(), "g")])
    facts = Facts(account=Account(True))
    assert judge(policy, MESSAGE, Scan(), facts) is judge(policy, MESSAGE, Scan(), facts)


REPEATS = repeats.Options(Repeat("sender", 1, 10_000_000, min_length=4))
OPTIONS = {name: case[0] for name, case in CASES.items()} | {"repeats": REPEATS, "parts": parts.Options()}
OPTIONS |= {"crowd": crowd.Options(("spam",))}
SHORT = Scan(fingerprint=b"e", folded_length=3)
READ = Scan(fingerprint=b"e", folded_length=600)
FOUND = Scan({"spam": (HIT,)}, fingerprint=b"f", folded_length=500)
FAILED = Scan(failed={"spam": "fold.bound"})


@given(
    st.permutations(sorted(OPTIONS)),
    st.lists(
        st.tuples(
            st.integers(0, 6), st.booleans(), st.sampled_from([SHORT, READ, FOUND, FAILED]), st.booleans(),
            st.integers(0, 3_000_000),
        ),
        max_size=30,
    ),
)  # fmt: skip
def test_what_is_remembered_of_facts_changes_no_verdict(
    order: list[str], messages: list[tuple[int, bool, Scan, bool, int]]
) -> None:
    built = [Rule(check, "reject", "reject", OPTIONS[check], "g") for check in order]
    once = (RepeatFact(1),)
    shared = [
        Facts(Account(True), limits=(0,), repeats=once),
        Facts(Account(True, verified_until=1), limits=(0,), repeats=once),
        Facts(Account(True, verified_until=2, credit=10), limits=(0,), repeats=once),
        Facts(Account(False), limits=(0,), repeats=once),
        Facts(Account(True), limits=(7,), repeats=once),
        Facts(None, limits=(0,), repeats=once),
        Facts(Account(True), limits=(0,), repeats=(RepeatFact(2),)),
    ]
    policy = Policy("p", "d", built)
    for which, vouched, scan, image, at in messages:
        message = MESSAGE._replace(
            received_at=at, vouched=Vouched(True, 30) if vouched else None, parts=("/image",) if image else ()
        )
        assert judge(policy, message, scan, shared[which]) == judge(
            Policy("p", "d", built), message, scan, shared[which]
        )


OTHER = Message(
    "other", "danmaku", "live", "hall", "bob", ("x" * 500, "y"), 1_000_000,
    device="d", ip="10.0.0.1", registrant="r", location="l", parts=("/image",), edit=True, playback_ms=7,
)  # fmt: skip


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_a_check_reads_what_it_says(name: str) -> None:
    check = CHECKS[name]
    options = OPTIONS[name] if name in OPTIONS else samples.options(name)
    find = check.bind(Rule(name, "reject", "reject", options, "g"), Asks())
    for facts in (
        Facts(repeats=(RepeatFact(1),)),
        Facts(Account(False), limits=(0,), repeats=(RepeatFact(9, senders=9),)),
        Facts(Account(True, 1, 10), limits=(9,), repeats=(RepeatFact(1),)),
        Facts(Account(True), (Block("ip", "spam", 5),), (0,), (RepeatFact(1),), room=RoomFact("slow", 3.0)),
        Facts(Account(True), limits=(0,), repeats=(RepeatFact(1),), room=RoomFact("closed")),
        Facts(missing=dict.fromkeys(("account", "blocks", "limits", "room", "repeats"), "state.deadline")),
    ):
        for scan in (READ, FOUND, FAILED, SHORT):
            told = find(OTHER, scan, facts)
            if not isinstance(told, Missing):
                assert {finding.reason for finding in told} <= check.reasons.keys()
        if check.reads == "facts":
            assert find(MESSAGE, READ, facts) == find(OTHER, FOUND, facts)
            assert name != "repeats" or not find(OTHER, SHORT, facts)
        elif check.reads == "hits":
            assert not find(OTHER, READ, facts)
        elif check.reads == "parts":
            assert not find(OTHER._replace(parts=()), FOUND, facts)


def test_what_is_remembered_of_facts_is_bounded() -> None:
    policy = Policy("p", "d", [Rule("identity", "reject", "reject", identity.Options(), "g")])
    for _ in range(REMEMBERED + 5):
        judge(policy, MESSAGE, Scan(), Facts(account=Account(True)))
    assert 0 < len(policy.quiet.known) <= REMEMBERED
    assert all(id(facts) == known for known, (facts, _) in policy.quiet.known.items())


def test_identity_reasons() -> None:
    policy = Policy("p", "d", [Rule("identity", "reject", "reject", identity.Options(), "g")])

    def reason(facts: Facts, message: Message = MESSAGE) -> str | None:
        leading = judge(policy, message, Scan(), facts).leading
        return leading.finding.reason if leading else None

    assert reason(Facts()) == "identity.unknown"
    assert reason(Facts(account=Account(False))) == "identity.unverified"
    assert reason(Facts(account=Account(True, verified_until=1))) == "identity.expired"
    assert reason(Facts(account=Account(True, verified_until=2))) is None
    assert reason(Facts(missing={"account": "state.epoch"})) == "identity.unavailable"
    assert reason(Facts(), MESSAGE._replace(vouched=Vouched(True))) is None


def test_acts_of_people_weigh_like_rules() -> None:
    policy = Policy("p", "d", [])
    rule = Rule("switch", "reject", "reject", None, "incident 12")
    act = Decided(rule, Finding("switch", "switch.frozen"), "reject")
    assert judge(policy, MESSAGE, Scan(), Facts(), (act,)).disposition == "reject"


@given(st.text(max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=4))
def test_masking_keeps_every_length_and_everything_outside_the_spans(text: str, pairs: list[tuple[int, int]]) -> None:
    spans = tuple((a, b) for a, b in pairs if a <= b <= len(text))
    hit = HIT._replace(spans=spans)
    (result,) = masked((text,), [Finding("keywords", "keyword.match", hit)])
    assert len(result) == len(text)
    inside = {place for a, b in spans for place in range(a, b)}
    assert all(result[i] == ("*" if i in inside else text[i]) for i in range(len(text)))


def test_a_weak_sender_is_no_person() -> None:
    """What state says of its name concerns somebody else, and a block of the address still holds."""
    rules = [
        Rule("block", "reject", "reject", block.Options(), "g"),
        Rule("identity", "label", "label", identity.Options()),
        Rule("credit", "reject", "reject", credit.Options(50), "g"),
    ]
    policy = Policy("p", "digest", rules)
    known = Facts(Account(True, 0, 10), (Block("sender", "spam"),))
    message = Message("i", "comment", "r", "room", "ip:192.0.2.1", ("x",), 1)
    assert [one.finding.reason for one in judge(policy, message, Scan(), known).decided] == [
        "block.sender", "credit.low",
    ]  # fmt: skip
    weak = message._replace(weak=True)
    assert [one.finding.reason for one in judge(policy, weak, Scan(), known).decided] == ["identity.unknown"]
    away = Facts(blocks=(Block("ip", "spam"),), missing={"account": "state.deadline", "limits": "state.deadline"})
    found = judge(policy, weak, Scan(), away)
    assert [one.finding.reason for one in found.decided] == ["block.ip", "identity.unknown"]
    assert found.degraded == ()


def test_a_sender_that_could_not_be_asked_for_is_told_of() -> None:
    policy = Policy("p", "digest", [])
    message = Message("i", "comment", "r", "room", "s", ("x",), 1, degraded="sender:bridged")
    verdict = judge(policy, message, Scan(), Facts(fallback=("blocks:snapshot",)))
    assert (verdict.disposition, verdict.degraded) == ("pass", ("sender:bridged", "blocks:snapshot"))
