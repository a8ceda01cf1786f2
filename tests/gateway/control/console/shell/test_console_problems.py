"""What is wrong with what was given, as people read it."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from gateway.control.access.roles import Role
from gateway.control.calls.validation import problems
from gateway.control.console.shell.console_problems import told
from gateway.control.people.schemas import PersonNew
from tests.gateway.control.console.conftest import House


def said(model: type[BaseModel], given: str, language: str) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate_json(given, strict=True)
    return [told(one, language) for one in problems("body", caught.value)]


def test_fields_and_problems() -> None:
    given = '{"name": "空 格", "roles": [], "reason": "begins"}'
    assert said(PersonNew, given, "zh") == [
        "用户名：只能使用英文字母、数字和 . _ @ -，以字母或数字开头，最多 64 个字符",
        "角色：至少选择 1 项",
    ]
    assert said(PersonNew, given, "en")[1] == "Roles: choose 1 at least"


def test_what_says_nothing_to_people_is_left_out() -> None:
    assert told({"seconds": 3}, "zh") == ""


async def test_a_form_that_was_refused_says_why(house: House) -> None:
    boss = await house.logged_in("boss", Role.ADMIN)
    chinese = {"Accept-Language": "zh"}
    await boss.get("/people", headers=chinese)
    page = await boss.post("/people", {"name": "空 格", "reason": "begins"}, headers=chinese)
    assert boss.status == 400
    assert "角色：至少选择 1 项" in page
    assert "should match" not in page and "body." not in page
