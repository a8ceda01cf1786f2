import dataclasses
from collections.abc import Callable

import pytest

from filters.checks import CHECKS
from filters.checks.credit import Options as Credit
from filters.checks.keywords import Options as Keywords
from filters.checks.limit import Options as Limits
from filters.checks.repeats import Options as Repeats
from filters.model.limits import Limit
from filters.model.rule import Repeat
from filters.policy import Policy
from gateway.config import Config
from gateway.config.sections import policies
from gateway.config.sections.policies import RULES

RULE = '{ check = "identity", action = "reject", on_error = "reject", ground = "agreement 2.1" }'
Read = Callable[..., Config]


def only(rule: str, read: Read) -> policies.Rule:
    return read(RULE, rule).policies["comment"].rules[0]


def test_every_check_has_its_rule_and_every_option_its_key() -> None:
    assert set(RULES) == set(CHECKS)
    for name, check in CHECKS.items():
        keys = set(RULES[name].model_fields)
        for field in dataclasses.fields(check.options):
            assert field.name in keys or field.name == "repeat", (name, field.name)
        assert all(field.description for field in RULES[name].model_fields.values())


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_every_sample_is_a_rule_that_stands_in_a_file(name: str, read: Read) -> None:
    config = read(RULE, CHECKS[name].sample)
    (rule, *_) = policies.build(config)["comment"].rules
    assert isinstance(rule.options, CHECKS[name].options)


def test_limits(read: Read) -> None:
    rule = only(
        '{ check = "limit", action = "reject", on_error = "pass", ground = "g", '
        'limits = ["sender 5/10s", "room 500/1s"], scale = { 40 = 0.5, 20 = 0.1 } }',
        read,
    )
    scale = ((20, 0.1), (40, 0.5))  # rising, as filters.model.limits asks
    assert rule.options() == Limits((Limit("sender", 5, 10_000_000, scale), Limit("room", 500, 1_000_000, scale)))


def test_repeats(read: Read) -> None:
    plain = only('{ check = "repeats", action = "label", on_error = "pass", limit = "3/1m" }', read)
    assert plain.options() == Repeats(Repeat("sender", 3, 60_000_000))
    wide = only(
        '{ check = "repeats", action = "label", on_error = "pass", limit = "20/30s", scope = "room", '
        "min_length = 12, senders = 5 }",
        read,
    )
    assert wide.options() == Repeats(Repeat("room", 20, 30_000_000, 12, 5))


def test_other_options_are_as_the_check_names_them(read: Read) -> None:
    credit = only('{ check = "credit", action = "label", on_error = "pass", below = 40, mode = "shadow" }', read)
    assert (credit.options(), credit.mode) == (Credit(40), "shadow")
    words = only('{ check = "keywords", action = "label", on_error = "pass", lists = ["spam"], severity = 3 }', read)
    assert words.options() == Keywords(("spam",), 3)


def test_build_binds_every_rule(read: Read) -> None:
    built = policies.build(read())["comment"]
    assert isinstance(built, Policy)
    assert [(rule.check, rule.action, rule.on_error, rule.ground) for rule in built.rules] == [
        ("identity", "reject", "reject", "agreement 2.1"),
        ("keywords", "reject", "reject", "agreement 3.1"),
    ]
    assert built.asks.account
    assert built.asks.lists == ["spam"]


def test_the_digest_is_of_the_meaning_not_of_the_spelling(read: Read) -> None:
    told = policies.build(read())["comment"].digest
    assert len(bytes.fromhex(told)) == 32
    reordered = (
        '{ ground = "agreement 2.1", on_error = "reject", mode = "enforce", action = "reject", check = "identity" }'
    )
    assert policies.build(read(RULE, reordered, more="# a comment\n"))["comment"].digest == told


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("agreement 2.1", "agreement 2.2"),
        ('on_error = "reject", ground = "agreement 2.1"', 'on_error = "pass", ground = "agreement 2.1"'),
        ("message={id}", "m={id}"),
        ('lists = ["spam"]', 'lists = ["spam"], severity = 2'),
    ],
)
def test_another_meaning_has_another_digest(before: str, after: str, read: Read) -> None:
    assert policies.build(read(before, after))["comment"].digest != policies.build(read())["comment"].digest
