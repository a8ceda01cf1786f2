"""Words: in both languages, and an error where one is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway import control
from gateway.control import console
from gateway.control.access.roles import Role
from gateway.control.acts.refusal import ControlError
from gateway.control.cases.case_states import Desk
from gateway.control.cases.cases import Cause
from gateway.control.console.shell.console_words import kinds, named, refusal, table, wording


def test_a_page_has_its_own_words_and_those_of_all() -> None:
    assert wording("queues", "zh").title == "审核队列"
    assert wording("queues", "zh").log_out == "退出登录"
    with pytest.raises(AttributeError):
        _ = wording("queues", "zh").nothing_of_that_name


def test_names_of_the_record_are_told() -> None:
    for kind in (Cause, Desk, Role):
        assert {one.value for one in kind} <= named("zh").keys() == named("en").keys()
    assert all(set(told) == {"en", "zh"} for told in table("names").values())


def test_refusals() -> None:
    error = ControlError(403, "control.role_refused", "This needs the role admin; you have viewer.")
    assert refusal(error, "en") == "This needs the role admin; you have viewer."
    assert refusal(error, "zh") == "您的角色无权执行此操作。"
    assert refusal(ControlError(400, "control.unheard_of", "Say."), "zh") == "Say."


def raised() -> set[str]:
    """Reason codes with which control refuses."""
    found = set()
    for file in Path(control.__file__).parent.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        found |= set(re.findall(r'ControlError\(\s*\d+,\s*"([a-z_.]+)"', text))
        found |= {f"control.{what}_unknown" for what in re.findall(r'missing\("([a-z_]+)"', text)}
    return found


def test_every_refusal_of_control_has_a_sentence_in_chinese() -> None:
    assert len(raised()) > 80
    assert sorted(code for code in raised() if not table("refusals").get(code, {}).get("zh")) == []


def test_every_kind_of_act_has_a_name() -> None:
    """What stands near where an act is noted, in the form of a kind."""
    seen = set()
    for file in Path(control.__file__).parent.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        for found in re.finditer(r"\.(?:act|reads)\(", text):
            near = text[found.end() : found.end() + 240].partition("log.")[0]
            seen |= set(re.findall(r'"([a-z]+\.[a-z]+)"', near))
    recorded = seen - raised()
    assert len(recorded) > 40
    assert sorted(recorded - kinds("zh").keys()) == []
    assert all(set(told) == {"en", "zh"} and all(told.values()) for told in table("kinds").values())


def test_what_stands_between_words_is_of_the_readers_language() -> None:
    """A colon, a bracket or a semicolon of one language has no place in a sentence of the other."""
    folder = Path(console.__file__).parent / "templates"
    western = re.compile(r"(?:\}\}|%\}|>)(?:: |; )|\}\} \(|\}\}\)|join\([\"'], ")
    found = {
        f"{file.name}: {line[max(0, one.start() - 30) : one.end() + 30]}"
        for file in folder.glob("*.html")
        for line in file.read_text(encoding="utf-8").splitlines()
        for one in western.finditer(line)
    }
    assert found == set()
