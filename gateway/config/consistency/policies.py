"""Policies against the sections they refer to."""

from __future__ import annotations

from typing import Any

from filters.checks import CHECKS
from gateway.config.consistency.document import Found, named, table, tables, text, texts
from gateway.config.consistency.translation import nearest


def problems(document: dict[str, Any]) -> Found:
    """Unknown lists, masks that mask nothing, what a rule lacks whose check nobody knows, codes that nobody makes."""
    lists = list(table(document, "lists"))
    for name, policy in named(document, "policies"):
        if "{code}" in text(policy, "appeal") and "appeals" not in document:
            yield ("policies", name, "appeal"), "has {code}, and nobody makes codes: add [appeals], or write {id}"
        for place, rule in tables(policy, "rules"):
            path = ("policies", name, "rules", place)
            check = text(rule, "check")
            if check not in CHECKS:
                if "on_error" not in rule:
                    yield (
                        (*path, "on_error"),
                        "is missing: say what it means that the check failed; there is no default",
                    )
                if text(rule, "action") in {"reject", "hold", "mask"} and not text(rule, "ground").strip():
                    yield (*path, "ground"), "is missing: a rule that denies names what it rests on"
            for at, wanted in enumerate(texts(rule, "lists") if isinstance(rule.get("lists"), list) else ()):
                if wanted not in lists:
                    yield (*path, "lists", at), "is not in [lists]" + nearest(wanted, lists)
            if text(rule, "action") == "mask" and check in CHECKS and not CHECKS[check].spans:
                yield (*path, "action"), f"masks nothing: {check} finds no words; use “reject” or “label”"
            if "label" in rule and text(rule, "action") not in {"label", ""} and text(rule, "on_error") != "label":
                yield (*path, "label"), f"has no effect: the rule's action is “{text(rule, 'action')}”"
