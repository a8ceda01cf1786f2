"""Rules, and the one function that turns findings into a verdict.

Pure and total: ``judge`` opens nothing, waits for nothing, and has an answer for every combination of findings,
facts and failures. Its laws (laws 2, 4 and 3), each held by a property test:

* the disposition is the worst enforced of ``pass < hold < reject``; label and mask accumulate;
* a rule in shadow changes nothing but ``Verdict.shadow``, and its failures do not count as degraded;
* a check that could not decide costs what its rule's ``on_error`` says, never silently nothing;
* what a person approved (a ticket among ``acts``) is neither held nor found in its text again; all else counts;
* a weak sender is no person: no account and no block of that name concerns them.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Final

from filters.checks import CHECKS
from filters.model.message import Message
from filters.model.remembered import Remembered
from filters.model.rule import Asks, Find, Rule
from filters.model.verdict import INCIDENT, Decided, Disposition, Facts, Finding, Missing, OnError, Scan, Verdict

WEIGHT: dict[str, int] = {"reject": 0, "hold": 1, "mask": 2, "label": 3, "pass": 4}
MASK: Final = "*"
REMEMBERED: Final = 1024  # objects of facts


class Policy:
    """Rules bound to their checks. Immutable once built but for what ``judge`` remembers; a reload builds another one
    (law 9). ``reading``: those among the rules that read the message itself; ``always``: those that have something to
    read in every message. ``quiet``: facts, by their identity, of which the others found nothing, and until when that
    holds in microseconds since the epoch. ``counted``: folded code points from which every repeat counts a text.
    """

    __slots__ = (
        "always", "asks", "asks_state", "bound", "counted", "digest", "name", "passed", "quiet", "reading", "rules",
    )  # fmt: skip

    def __init__(self, name: str, digest: str, rules: Sequence[Rule]) -> None:
        self.name = name
        self.digest = digest
        self.rules = tuple(rules)
        self.asks = Asks()
        self.bound: tuple[tuple[Rule, Find], ...] = tuple(
            (rule, CHECKS[rule.check].bind(rule, self.asks)) for rule in self.rules
        )
        self.reading = tuple(bound for bound in self.bound if CHECKS[bound[0].check].reads != "facts")
        self.always = tuple(bound for bound in self.reading if CHECKS[bound[0].check].reads == "message")
        self.counted = max((max(1, repeat.min_length) for repeat in self.asks.repeats), default=0)
        self.quiet: Remembered[int, tuple[Facts, float]] = Remembered(REMEMBERED)
        self.asks_state = self.asks.anything
        self.passed = Verdict("pass", digest)

    def remember(self, facts: Facts) -> None:
        """Nothing was found that hangs on ``facts``. Equal facts of clean senders are one object (``state.facts``), so
        most messages have theirs here; it is held, so that its identity is nobody else's."""
        account = facts.account
        until = account.verified_until * 1_000_000 if account is not None else 0
        self.quiet.put(id(facts), (facts, until or inf))


def judge(policy: Policy, message: Message, scan: Scan, facts: Facts, acts: tuple[Decided, ...] = ()) -> Verdict:
    """Weigh everything found about ``message``.

    ``acts`` are decisions already made by people and in force now (a frozen room, an urgent word); they weigh as
    enforced rules do. A ticket is the last of them.
    """
    enforced: list[Decided] | None = list(acts) if acts else None
    shadow: list[Decided] | None = None
    if message.weak:
        facts = _of_nobody(facts)
    degraded: list[str] | None = list(facts.fallback) if facts.fallback else None
    if message.degraded:
        degraded = [message.degraded, *(degraded or ())]
    bound = policy.bound
    vouched = message.vouched is not None
    quiet = policy.quiet.known.get(id(facts))
    if quiet is not None and not vouched and message.received_at < quiet[1]:
        bound = policy.reading if scan.hits or scan.failed or message.parts else policy.always
    for rule, find in bound:
        found = find(message, scan, facts)
        if not found:
            continue
        if isinstance(found, Missing):
            if rule.mode == "shadow":
                continue
            failure = f"{rule.check}:{found.cause}"
            if degraded is None:
                degraded = [failure]
            elif failure not in degraded:
                degraded.append(failure)
            if rule.on_error != "pass":
                finding = Finding(rule.check, f"{rule.check}.unavailable", detail={"cause": found.cause})
                enforced = enforced if enforced is not None else []
                enforced.append(Decided(rule, finding, rule.on_error, degraded=True))
        elif rule.mode == "shadow":
            shadow = shadow if shadow is not None else []
            shadow.extend(Decided(rule, finding, rule.action) for finding in found)
        else:
            enforced = enforced if enforced is not None else []
            enforced.extend(Decided(rule, finding, rule.action) for finding in found)
    if enforced is None and shadow is None and degraded is None:
        # A text that no repeat counted says nothing of one that would be counted.
        if quiet is None and not vouched and not facts.missing and scan.folded_length >= policy.counted:
            policy.remember(facts)
        return policy.passed
    if enforced and acts and acts[-1].effect == "pass":
        enforced = _approved(enforced)
    return _verdict(policy, message, enforced or [], shadow or [], degraded or [])


def unheld(
    policy: Policy, message: Message, verdict: Verdict, reason: str, cause: str, costs: OnError | None = None
) -> Verdict:
    """What ``verdict``, which holds, comes to where the message cannot wait for a person, and why: ``reason`` is a code
    for its sender, ``cause`` says more. ``costs``: what that is worth, where it is no failure; None for what each
    rule's ``on_error`` says, where ``hold`` refuses, since nothing can be held. What was found is recorded either way:
    beside those in shadow where it costs nothing, which is told as degraded (law 3). While an incident holds
    everything, what cannot wait is refused, whatever it would be worth otherwise.
    """
    enforced: list[Decided] = []
    shadow = list(verdict.shadow)
    for decided in verdict.decided:
        if decided.effect != "hold":
            enforced.append(decided)
            continue
        rule, found, _, _ = decided
        worth = "reject" if rule.check == INCIDENT else costs or rule.on_error
        if worth == "pass":
            shadow.append(decided)
        else:
            told = Finding(rule.check, reason, found.hit, detail={"cause": cause, "found": found.reason})
            enforced.append(Decided(rule, told, "reject" if worth == "hold" else worth, degraded=costs is None))
    degraded = [f"review:{cause}"] if costs is None or costs == "pass" else []
    return _verdict(policy, message, enforced, shadow, degraded + list(verdict.degraded))


def _of_nobody(facts: Facts) -> Facts:
    """What state says, without what it says of a person: the sender is none, whoever may have that name."""
    if facts.account is None and facts.verified is None and not facts.blocks and "account" not in facts.missing:
        return facts
    return facts._replace(
        account=None,
        verified=None,
        blocks=tuple(block for block in facts.blocks if block.scope != "sender"),
        missing={name: cause for name, cause in facts.missing.items() if name != "account"},
    )


def _approved(enforced: list[Decided]) -> list[Decided]:
    """Without what a person has read, and what they were asked for: where a check failed that reads no text, it was
    nobody's to approve."""
    return [
        decided
        for decided in enforced
        if not (
            (decided.effect == "hold" and not decided.degraded and decided.rule.check != INCIDENT)
            or (decided.rule.check in CHECKS and CHECKS[decided.rule.check].spans)
        )
    ]


def _verdict(
    policy: Policy, message: Message, enforced: list[Decided], shadow: list[Decided], degraded: list[str]
) -> Verdict:
    # What was found explains more than what could not be checked, and either more than that everything is held. Stable:
    # the policy's order within one weight.
    enforced.sort(key=lambda decided: (WEIGHT[decided.effect], decided.rule.check == INCIDENT, decided.degraded))
    effects = {decided.effect for decided in enforced}
    disposition: Disposition = "reject" if "reject" in effects else "hold" if "hold" in effects else "pass"
    labels = tuple(dict.fromkeys(d.rule.label or d.finding.reason for d in enforced if d.effect == "label"))
    texts = masked(message.texts, [d.finding for d in enforced if d.effect == "mask"]) if "mask" in effects else None
    return Verdict(disposition, policy.digest, tuple(enforced), tuple(shadow), labels, texts, tuple(degraded))


def masked(texts: tuple[str, ...], findings: Sequence[Finding]) -> tuple[str, ...]:
    """The texts with every found span replaced by one ``*`` a code point, so that lengths and offsets stay."""
    fields = [list(text) for text in texts]
    for finding in findings:
        if finding.hit is not None:
            for start, end in finding.hit.spans:
                fields[finding.hit.field][start:end] = MASK * (end - start)
    return tuple("".join(field) for field in fields)
