"""What the policies of a configuration would make of a text, from a sender of whom there is nothing else to say."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from filters.model.message import Message
from filters.model.verdict import Account, Facts, RepeatFact, Scan, Verdict
from filters.policy import judge
from gateway import config as configuration
from gateway.config.sections import policies


class PolicyVerdict(NamedTuple):
    """One policy's verdict."""

    policy: str
    verdict: Verdict

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        verdict = self.verdict
        return {
            "policy": self.policy,
            "verdict": verdict.disposition,
            "text": verdict.texts[0] if verdict.texts is not None and verdict.disposition == "pass" else None,
            "labels": list(verdict.labels),
            "findings": [_finding(decided) for decided in verdict.decided],
            "shadow": [_finding(decided) for decided in verdict.shadow],
        }


def verdicts(path: Path, text: str, scan: Scan) -> list[PolicyVerdict]:
    """Every policy's verdict on ``text``, which was read as ``scan``. Raises ConfigError.

    The sender is verified, has full credit and is within every limit: what is left is what the text itself costs.
    """
    judged = []
    for name, policy in policies.build(configuration.load(path)).items():
        asks = policy.asks
        facts = Facts(Account(True), (), (0,) * len(asks.limits), (RepeatFact(1),) * len(asks.repeats))
        message = Message("", "comment", "", "", "", (text,), 0)
        judged.append(PolicyVerdict(name, judge(policy, message, scan, facts)))
    return judged


def _finding(decided: Any) -> dict[str, Any]:
    hit = decided.finding.hit
    return {
        "check": decided.finding.check,
        "reason": decided.finding.reason,
        "effect": decided.effect,
        "ground": decided.rule.ground,
        "list": hit.list if hit is not None else None,
    }
