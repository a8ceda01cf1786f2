"""The desk as the configuration has it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gateway.config import Config
from gateway.config.sections.review.desk import Desk
from gateway.control.access.roles import LEAD, MODERATE
from gateway.control.review.desk_settings import DeskSettings
from gateway.control.review.feature import REVIEW, settings


def test_the_defaults_are_those_of_the_settings() -> None:
    told = settings(Config.model_construct(desk=Desk()))
    own = DeskSettings()
    assert (told.claim, told.undo, told.service) == (own.claim, own.undo, own.service)
    assert (told.grounds, told.second) == (own.grounds, own.second)
    assert told.hours.is_open(0)


def test_what_it_says_is_what_the_desk_has() -> None:
    section = Desk(open=("mon-fri 08:00-22:00",), zone="+00:00", grounds=("article 5",), second=("fraud",))
    told = settings(Config.model_construct(desk=section))
    assert not told.hours.is_open(0)  # a Thursday's midnight
    assert (told.grounds, told.second) == (("article 5",), frozenset(("fraud",)))


@pytest.mark.parametrize(
    "wrong", [{"open": ["mon 25:00-26:00"]}, {"zone": "Nowhere"}, {"grounds": ["g"] * 10}, {"claim": "1s"}]
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Desk.model_validate(wrong)


def test_deciding_is_for_people_alone() -> None:
    for endpoint in REVIEW.endpoints:
        assert (endpoint.method != "GET") == (not endpoint.access.scope), endpoint.path
        if endpoint.path.startswith("/v1/review/cases") and endpoint.method == "POST":
            assert endpoint.access.roles == (LEAD if endpoint.path.endswith(":reopen") else MODERATE)
