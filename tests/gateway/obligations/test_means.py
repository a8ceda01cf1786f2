"""What else can answer an article, and the tests that hold it."""

from pathlib import Path

import pytest

from gateway.obligations.fulfilment import Known
from gateway.obligations.means import MEANS, TESTS
from tests.gateway.obligations.conftest import Configured

ROOT = Path(__file__).parents[3]
RECEIVER = """
[[callbacks]]
name = "platform"
url = "https://platform.example/hook"
secret = "0123456789abcdef"
"""
ON_CALL = """
[appeals]
[desk.on_call]
url = "https://robot.example/"
categories = ["minors"]
"""


def told(configured: Configured, means: str, *, contained: bool = False, **more: str) -> tuple[str, str]:
    rule = '{ check = "block", action = "reject", on_error = "reject", ground = "g" }'
    config = configured(rule, **more)
    found = MEANS[means](config, config.routes[0], Known({}, contained))
    assert found.means == means
    assert found.mechanism.en
    assert found.mechanism.zh
    return found.grade, "; ".join(lack.en for lack in found.lacks)


def test_each_means_names_a_test_that_is_there_or_is_not_kept(configured: Configured) -> None:
    for name, test in TESTS.items():
        assert name in MEANS
        assert (ROOT / test).is_file(), test
    for name in set(MEANS) - set(TESTS):
        assert told(configured, name)[0] == "not"


@pytest.mark.parametrize(
    ("means", "more", "wanted"),
    [
        ("retention", "", ("partly", 'records name no network address (keep = ["ip"])')),
        ("retention", 'keep = ["ip"]\n', ("kept", "")),
        ("records", "", ("kept", "")),
        ("records", '[journal]\nfsync = "no"\n', ("partly", "a power cut may lose records (journal.fsync)")),
        ("content", 'content = "always"\n', ("kept", "")),
        ("content", 'content = "findings"\n', ("partly", "only texts in which something was found are kept")),
        ("content", 'content = "never"\n', ("not", "texts are not kept")),
        ("blacklist", "", ("partly", "registrant is not read: a new registration is a stranger")),
        ("blacklist", 'registrant = "header:X-Registrant"\n', ("kept", "")),
        ("takedown", "", ("not", "no takedown address")),
        ("takedown", 'upstream_id = "json:/id"\ntakedown = { match = "DELETE /c/{id}" }\n', ("kept", "")),
        ("minimal", "", ("kept", "")),
        ("minimal", 'keep = ["ip", "location"]\n', ("partly", "keeps location: say elsewhere why it is necessary")),
        ("minimal", RECEIVER, ("kept", "")),
        (
            "minimal",
            RECEIVER + "sender = true\n",
            ("partly", "tells “platform” who sends (callbacks.sender): say elsewhere why it is necessary"),
        ),
        ("emergency", "", ("kept", "")),
        ("mirror", "", ("not", "no mirror")),
        ("hold", "", ("not", "no hold rule")),
        ("complaints", "", ("not", "not in this version")),
    ],
)
def test_what_each_is_worth(means: str, more: str, wanted: tuple[str, str], configured: Configured) -> None:
    assert told(configured, means, more=more) == wanted


def test_the_mirror_answers_for_bullets(configured: Configured) -> None:
    page = 'page = "/videos/{room}"\n'
    assert told(configured, "mirror", surface="danmaku", more=page, contained=True) == ("kept", "")
    # Until a probe of the platform's own page has seen the list there, nobody knows.
    assert told(configured, "mirror", surface="danmaku", more=page)[0] == "partly"


def test_somebody_on_call_is_a_part_of_what_answers(configured: Configured) -> None:
    rule = '{ check = "block", action = "reject", on_error = "reject", ground = "g" }'
    for more, emergency, appeals in (("[appeals]\n", (), False), (ON_CALL, ("desk.on_call.categories",), True)):
        config = configured(rule, more=more)
        found = {name: MEANS[name](config, config.routes[0], Known({})) for name in ("emergency", "appeals")}
        assert found["emergency"].settings == emergency
        assert ("grave categories" in found["emergency"].mechanism.en) is bool(emergency)
        assert ("desk.on_call" in found["appeals"].settings) is appeals
