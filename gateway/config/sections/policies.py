"""``[policies.NAME]``: rules in order, each with what it costs and what its failure means."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, create_model, field_validator

from filters.checks import CHECKS
from filters.model.check import Option
from filters.model.limits import Limit, parse_limit
from filters.model.rule import Mode, Repeat
from filters.model.rule import Rule as BoundRule
from filters.policy import Policy as BoundPolicy
from gateway.common.units import Rate
from gateway.config.values.section import Section, required, setting
from gateway.config.values.units import RateOf

if TYPE_CHECKING:
    from gateway.config.sections.file import Config

DENYING = ("reject", "hold", "mask")


def limit(value: Any) -> Limit:
    """A limit from ``sender 5/10s``."""
    if isinstance(value, Limit):
        return value
    if not isinstance(value, str):
        raise ValueError("is not a limit: write a scope and a rate, such as “sender 5/10s”")
    return parse_limit(value)


LimitText = Annotated[
    Limit, BeforeValidator(limit), WithJsonSchema({"type": "string", "examples": ["sender 5/10s", "room 500/1s"]})
]


class Rule(Section):
    """What every rule has; the options of its check stand beside these keys."""

    check: str = required("What is looked for; see the checks below.")
    action: Literal["label", "mask", "hold", "reject"] = required("What a finding costs.")
    on_error: Literal["pass", "label", "hold", "reject"] = required(
        "What it means that the check failed or was late; of a rule that holds, that the message could not be parked. "
        "There is no default."
    )
    ground: str = setting(
        "", "What a refusal rests on: an article, or a clause of the agreement. Denying rules need it."
    )
    mode: Mode = setting("enforce", "A shadow rule is recorded and changes nothing.")
    label: str = setting("", "Text of the label that a label rule sets; the finding's reason if empty.", max_length=64)

    @field_validator("ground", mode="after")
    @classmethod
    def _denial_has_ground(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("action") in DENYING and not value.strip():
            raise ValueError(
                "is missing: a rule that rejects, holds or masks names what it rests on, such as “agreement 2.1”"
            )
        return value

    def options(self) -> object:
        """The check's own frozen options."""
        return _options(self)


def _option_fields(options: type[Any]) -> dict[str, Any]:
    """The TOML keys of a check's options. Three shapes have a spelling of their own; all else is as it is named."""
    fields: dict[str, Any] = {}
    hints, told = get_type_hints(options), get_type_hints(options, include_extras=True)
    for field in dataclasses.fields(options):
        hint = hints[field.name]
        meaning, bounds = _described(told[field.name])
        if hint is Repeat:
            fields["limit"] = (RateOf, required("How often one text may be seen in which time, such as “3/1m”."))
            fields["scope"] = (
                Literal["sender", "room", "global"],
                setting("sender", "Whose repeats count together: one sender's, a room's, everybody's."),
            )
            fields["min_length"] = (int, setting(0, "Shorter texts (folded, in code points) may repeat freely.", ge=0))
            fields["senders"] = (int, setting(1, "Different senders it takes, across people.", ge=1, le=64))
        elif get_origin(hint) is tuple and get_args(hint)[0] is Limit:
            fields[field.name] = (tuple[LimitText, ...], required(meaning, **bounds))
            fields["scale"] = (
                dict[Annotated[int, Field(ge=1, le=100)], Annotated[float, Field(gt=0, le=100)]],
                setting({}, "Factor on the limits for senders whose credit is below a level, such as { 40 = 0.5 }."),
            )
        elif field.default is dataclasses.MISSING:
            fields[field.name] = (hint, required(meaning, **bounds))
        else:
            fields[field.name] = (hint, setting(field.default, meaning, **bounds))
    return fields


def _described(annotated: Any) -> tuple[str, dict[str, int]]:
    """An option's meaning and its bounds as pydantic names them, from what stands beside its type."""
    option = next((one for one in get_args(annotated)[1:] if isinstance(one, Option)), None)
    if option is None:
        return "", {}
    counted = get_origin(get_args(annotated)[0]) is tuple or get_args(annotated)[0] is str
    names = ("min_length", "max_length") if counted else ("ge", "le")
    bounds = zip(names, (option.at_least, option.at_most), strict=True)
    return option.meaning, {name: bound for name, bound in bounds if bound is not None}


def _question(options: type[Any]) -> str:
    """What a check asks: the first sentence of its file."""
    told = sys.modules[options.__module__].__doc__ or ""
    return told.partition("?")[0].replace("\n", " ") + "?"


_SHADOW: Any = (Mode, setting("shadow", "A shadow rule is recorded and changes nothing; this check is one by default."))

RULES: dict[str, type[Rule]] = {
    name: create_model(
        f"{name.capitalize()}Rule",
        __base__=Rule,
        __module__=__name__,
        __doc__=_question(check.options),
        check=(cast(Any, Literal)[name], required("What is looked for.")),
        **_option_fields(check.options),
        **({"mode": _SHADOW} if check.shadow else {}),
    )
    for name, check in CHECKS.items()
}

if TYPE_CHECKING:
    AnyRule = Rule
else:
    AnyRule = Annotated[Union[tuple(RULES.values())], Field(discriminator="check")]  # noqa: UP007


def _options(rule: Rule) -> object:
    options = CHECKS[rule.check].options
    values = {name: getattr(rule, name) for name in type(rule).model_fields}
    hints = get_type_hints(options)
    made: dict[str, Any] = {}
    for field in dataclasses.fields(options):
        hint = hints[field.name]
        if hint is Repeat:
            told: Rate = values["limit"]
            made[field.name] = Repeat(
                values["scope"], told.quota, round(told.seconds * 1e6), values["min_length"], values["senders"]
            )
        elif get_origin(hint) is tuple and get_args(hint)[0] is Limit:
            scale = tuple(sorted(values["scale"].items()))
            made[field.name] = tuple(one._replace(scale=scale) if scale else one for one in values[field.name])
        else:
            made[field.name] = values[field.name]
    return options(**made)


class Policy(Section):
    """What is asked of a message, and where a refused sender can turn to."""

    appeal: str = required(
        "Address of the appeal, with {id} for the message or {code} for its code; “off” is accepted with a warning."
    )
    rules: tuple[AnyRule, ...] = required("The rules, in order of explanation.")

    @field_validator("appeal", mode="after")
    @classmethod
    def _reachable(cls, value: str) -> str:
        if value != "off" and re.match(r"https?://[^\s/]+|/", value) is None:
            raise ValueError("is not an address: write one that starts with https:// or /, with {id}, or “off”")
        return value


def digest(policy: Policy) -> str:
    """SHA-256, in hex, of the policy in one canonical spelling: equal policies have equal digests everywhere."""
    rules = [[rule.check, dataclasses.asdict(_bound(rule))] for rule in policy.rules]
    canonical = json.dumps([policy.appeal, rules], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _bound(rule: Rule) -> BoundRule:
    return BoundRule(rule.check, rule.action, rule.on_error, rule.options(), rule.ground, rule.mode, rule.label)


def build(config: Config) -> Mapping[str, BoundPolicy]:
    """Every policy of the configuration, its rules bound to their checks."""
    bound = {
        name: BoundPolicy(name, digest(policy), [_bound(rule) for rule in policy.rules])
        for name, policy in config.policies.items()
    }
    for policy in bound.values():
        policy.asks.ipv6_prefix = config.server.ipv6_prefix
    return bound
