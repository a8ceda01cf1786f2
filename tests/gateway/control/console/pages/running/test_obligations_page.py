"""Obligations at the console, in both languages."""

from __future__ import annotations

from typing import Any

from gateway import config as configuration
from gateway.control.access.roles import Role
from gateway.generation.generation import Generation
from tests.gateway.config.conftest import written as written  # noqa: PLC0414 - a fixture
from tests.gateway.control.console.conftest import House


async def test_article_grade_means_and_test_in_both_languages(house: House, written: Any) -> None:
    house.plant.generation = Generation(7, configuration.load(written(), environ={}), {})
    li = await house.logged_in("li", Role.VIEWER)
    await li.get("/obligations")
    assert "comments" in li.text and "Provisions on" in li.text and "tests/" in li.text
    assert "By what" in li.text
    li.session.headers["Accept-Language"] = "zh"
    await li.get("/obligations")
    assert "管理规定" in li.text and "部分落实" in li.text and "By what" not in li.text
