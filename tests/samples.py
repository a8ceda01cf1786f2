"""The sample that each check's file has, as its rule and as its options: tests that go over every check take these."""

from __future__ import annotations

import tomllib

from filters.checks import CHECKS
from gateway.config.sections.policies import RULES, Rule


def rule(check: str) -> Rule:
    """The line of configuration, read."""
    return RULES[check].model_validate(tomllib.loads(f"rule = {CHECKS[check].sample}")["rule"])


def options(check: str) -> object:
    """What the check is bound to by it."""
    return rule(check).options()
