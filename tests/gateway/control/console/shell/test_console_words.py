"""Words: in both languages, and an error where one is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway import control
from gateway.control.access.roles import Role
from gateway.control.acts.refusal import ControlError
from gateway.control.cases.case_states import Desk
from gateway.control.cases.cases import Cause
from gateway.control.console.shell.console_words import named, refusal, table, wording


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


def test_every_refusal_of_control_has_a_sentence_in_chinese() -> None:
    raised = {
        code
        for file in Path(control.__file__).parent.rglob("*.py")
        for code in re.findall(r'ControlError\(\s*\d+,\s*"([a-z_.]+)"', file.read_text(encoding="utf-8"))
    }
    assert len(raised) > 60
    assert sorted(code for code in raised if not table("refusals").get(code, {}).get("zh")) == []
