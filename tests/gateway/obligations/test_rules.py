"""A rule that everybody gets past is no answer."""

import pytest

from filters.checks import CHECKS
from gateway.obligations.fulfilment import Known
from gateway.obligations.rules import FEWEST_WORDS, NAMES, answer
from tests.gateway.obligations.conftest import Configured

BEGIN = {
    "identity": 'check = "identity", action = "reject", on_error = "reject", ground = "g"',
    "block": 'check = "block", action = "reject", on_error = "reject", ground = "g"',
    "room": 'check = "room", action = "reject", on_error = "reject", ground = "g"',
    "parts": 'check = "parts", action = "reject", on_error = "reject", ground = "g"',
    "keywords": 'check = "keywords", action = "reject", on_error = "reject", ground = "g", lists = ["w"]',
    "limit": 'check = "limit", action = "reject", on_error = "reject", ground = "g", limits = ["sender 5/10s"]',
    "repeats": 'check = "repeats", action = "reject", on_error = "reject", ground = "g", limit = "3/1m"',
    "credit": 'check = "credit", action = "reject", on_error = "reject", ground = "g", below = 40',
    "newcomer": 'check = "newcomer", action = "reject", on_error = "reject", ground = "g", first = 3',
}  # fmt: skip
ENOUGH = {"w": FEWEST_WORDS}


def told(
    configured: Configured, check: str, *rules: str, words: dict[str, int] = ENOUGH, **more: str
) -> tuple[str, str]:
    config = configured(*(f"{{ {rule} }}" for rule in rules), **more)
    found = answer(check, config, config.routes[0], Known(words))
    return found.grade, "; ".join(lack.en for lack in found.lacks)


def test_every_check_has_a_name_for_people() -> None:
    assert set(NAMES) == set(CHECKS)


@pytest.mark.parametrize("check", BEGIN)
def test_an_enforced_rule_that_fails_closed_is_kept(check: str, configured: Configured) -> None:
    assert told(configured, check, BEGIN[check]) == ("kept", "")
    assert told(configured, check) == ("not", f"no {check} rule")


@pytest.mark.parametrize("check", BEGIN)
def test_shadows_labels_and_what_fails_open_are_partly(check: str, configured: Configured) -> None:
    rule = BEGIN[check]
    assert told(configured, check, f'{rule}, mode = "shadow"') == (
        "partly",
        "only watched in shadow: it changes nothing",
    )
    label = rule.replace('action = "reject"', 'action = "label"')
    assert told(configured, check, label) == ("partly", "only labels what it finds")
    for failing in ("pass", "label"):
        fails = rule.replace('on_error = "reject"', f'on_error = "{failing}"')
        assert told(configured, check, fails) == ("partly", "lets messages pass when the check fails (on_error)")


def test_one_good_rule_is_enough_and_else_the_one_that_lacks_least_speaks(configured: Configured) -> None:
    rule = BEGIN["identity"]
    worse = rule.replace('on_error = "reject"', 'on_error = "pass"') + ', mode = "shadow"'
    assert told(configured, "identity", worse, rule) == ("kept", "")
    assert (
        told(configured, "identity", worse, f'{rule}, mode = "shadow"')[1]
        == "only watched in shadow: it changes nothing"
    )


@pytest.mark.parametrize(
    ("words", "grade"), [(0, "partly"), (1, "partly"), (FEWEST_WORDS - 1, "partly"), (FEWEST_WORDS, "kept")]
)
def test_a_tiny_list_is_partly(words: int, grade: str, configured: Configured) -> None:
    assert told(configured, "keywords", BEGIN["keywords"], words={"w": words})[0] == grade
    assert told(configured, "keywords", BEGIN["keywords"], words={})[0] == "partly"  # a list nobody could read


def test_lists_of_rules_that_deny_nothing_do_not_count(configured: Configured) -> None:
    more = '\n[lists.big]\npath = "w.txt"\n'
    big = BEGIN["keywords"].replace('["w"]', '["big"]').replace('"reject", on', '"label", on')
    found = told(configured, "keywords", BEGIN["keywords"], big, words={"w": 1, "big": 10_000}, more=more)
    assert found == ("partly", f"its lists hold 1 words, fewer than {FEWEST_WORDS}")


@pytest.mark.parametrize(
    ("limits", "lacks"),
    [
        ('"sender 100000/1s"', "a sender may send more than 2 messages a second"),
        ('"sender 100000/1s", "sender 60/1m"', ""),
        ('"room 5/10s"', "no limit on a sender"),
        ('"sender 120/1m"', ""),
        ('"sender 170000/1d"', "a sender may send 170,000 messages at once"),
        ('"sender 5/1s", "sender 10000/1d"', "a sender may send 10,000 messages at once"),
        ('"sender 5/1s", "sender 100/1h"', ""),
        ('"sender 5/10s"], scale = { 100 = 100.0 }, limits_end = [', "a sender may send more than 2 messages a second"),
        ('"sender 121/1m"', "a sender may send more than 2 messages a second"),
    ],
)
def test_a_huge_limit_is_partly(limits: str, lacks: str, configured: Configured) -> None:
    rule = BEGIN["limit"].replace('"sender 5/10s"', limits).replace(", limits_end = []", "")
    assert told(configured, "limit", rule) == ("partly" if lacks else "kept", lacks)


def test_repeats_that_nobody_reaches_are_partly(configured: Configured) -> None:
    many = BEGIN["repeats"].replace("3/1m", "11/1m")
    assert told(configured, "repeats", many) == ("partly", "the same text may be sent 11 times")
    soon = BEGIN["repeats"].replace("3/1m", "3/500ms")
    assert told(configured, "repeats", soon) == ("partly", "the same text may be sent again after 0.5 s")
    crowd = BEGIN["repeats"] + ', scope = "room", senders = 64'
    assert told(configured, "repeats", crowd) == ("partly", "counts from 64 senders on only")
    long = BEGIN["repeats"] + ", min_length = 21"
    assert told(configured, "repeats", long) == ("partly", "texts below 21 characters repeat freely")


def test_credit_is_tiered_by_a_level_or_by_scaled_limits(configured: Configured) -> None:
    low = BEGIN["credit"].replace("40", "9")
    assert told(configured, "credit", low) == ("partly", "only credit below 9 of 100 is found")
    assert told(configured, "credit", BEGIN["limit"] + ", scale = { 40 = 0.5 }") == ("kept", "")
    assert told(configured, "credit", BEGIN["limit"])[0] == "not"
    for nothing in ("{ 40 = 1.0 }", "{ 1 = 0.1 }", "{ 5 = 0.1, 40 = 0.95 }"):
        scaled = f"{BEGIN['limit']}, scale = {nothing}"
        assert told(configured, "credit", scaled) == ("partly", "its scale slows no low credit down")
    huge = BEGIN["limit"].replace("5/10s", "100000/1s") + ", scale = { 40 = 0.5 }"
    assert told(configured, "credit", huge) == ("partly", "a sender may send more than 2 messages a second")


def test_words_that_the_rule_does_not_find_do_not_count(configured: Configured) -> None:
    grave = BEGIN["keywords"] + ", severity = 9"
    config = configured(f"{{ {grave} }}", f"{{ {BEGIN['keywords']} }}")
    known = Known({"w": 200}, severe={"w": {1: 200, 5: 200, 9: 3}})
    one, both = configured(f"{{ {grave} }}"), config
    found = answer("keywords", one, one.routes[0], known)
    assert (found.grade, found.lacks[0].en) == ("partly", "its lists hold 3 words, fewer than 100")
    assert answer("keywords", both, both.routes[0], known).grade == "kept"


def test_words_of_rules_that_fail_open_do_not_help_one_that_fails_closed(configured: Configured) -> None:
    more = '\n[lists.big]\npath = "w.txt"\n'
    big = BEGIN["keywords"].replace('["w"]', '["big"]').replace('on_error = "reject"', 'on_error = "pass"')
    found = told(configured, "keywords", BEGIN["keywords"], big, words={"w": 1, "big": 10_000}, more=more)
    assert found[0] == "partly"


def test_a_node_whose_check_decides_nothing_is_partly(configured: Configured) -> None:
    config = configured(f"{{ {BEGIN['identity']} }}")
    for share, grade in ((0.0, "kept"), (0.01, "kept"), (0.5, "partly")):
        found = answer("identity", config, config.routes[0], Known({}, undecided={"identity": share, "block": 1.0}))
        assert found.grade == grade
    assert found.lacks[0].en == "this node could not decide in 50% of messages"


WIDE = {
    "all": ["0.0.0.0/0"],
    "all of IPv6": ["::/0"],
    "two halves": ["0.0.0.0/1", "128.0.0.0/1"],
    "many pieces": [f"{first}.0.0.0/8" for first in range(1, 200)],
    "all that is in use of IPv6": ["2000::/3"],
}


@pytest.mark.parametrize("check", ["identity", "block", "credit", "limit", "repeats", "newcomer"])
@pytest.mark.parametrize("wide", WIDE)
def test_a_sender_whom_anybody_may_name_is_partly(check: str, wide: str, configured: Configured) -> None:
    lacks = ("partly", "anybody may say who sends (trust is too wide)")
    assert told(configured, check, BEGIN[check], trust='", "'.join(WIDE[wide])) == lacks
    proxies = f"\n[server]\ntrusted_proxies = {WIDE[wide]}\n".replace("'", '"')
    assert told(configured, check, BEGIN[check], more=proxies) == lacks


def test_the_private_networks_are_no_anybody(configured: Configured) -> None:
    private = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "2001:db8::/32")
    assert told(configured, "identity", BEGIN["identity"], trust='", "'.join(private)) == ("kept", "")


def test_who_is_no_person_has_no_identity(configured: Configured) -> None:
    """However strict the rule is; and no block holds them."""
    rules = (
        '{ check = "identity", action = "reject", on_error = "reject", ground = "g" }',
        '{ check = "block", action = "reject", on_error = "reject", ground = "g" }',
    )
    made = configured(*rules)
    weak = made.routes[0].model_copy(update={"sender": ("jwt:sub", "hash:ip:")})
    known = Known({})
    assert answer("identity", made, made.routes[0], known).grade == "kept"
    told = answer("identity", made, weak, known)
    assert (told.grade, told.settings) == ("not", ("routes.r.sender",))
    assert answer("block", made, weak, known).grade == "partly"
