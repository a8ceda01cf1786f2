"""Which decisions can be appealed, and which are explained at once."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.control.appeals.admissibility import AppealRefused, admitted
from gateway.control.appeals.appeal_states import AppealMove
from tests.gateway.control.appeals.conftest import DECISION, NOW, S

WITHIN = 86_400 * S


@pytest.mark.parametrize(
    ("changed", "how"),
    [
        ({}, AppealMove.FILE),
        ({"standing": "masked"}, AppealMove.FILE),
        ({"check": "block"}, AppealMove.FILE),
        ({"check": "limit"}, AppealMove.EXPLAIN),
        ({"check": "repeats"}, AppealMove.EXPLAIN),
        ({"check": "mute"}, AppealMove.EXPLAIN),
        ({"degraded": True}, AppealMove.EXPLAIN),
        ({"standing": "expired"}, AppealMove.EXPLAIN),
    ],
)
def test_valid_is_filed_or_explained(changed: dict[str, Any], how: AppealMove) -> None:
    assert admitted(DECISION._replace(**changed), NOW, WITHIN) is how


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"standing": "published"}, "appeal.unknown"),
        ({"standing": "waiting"}, "appeal.undecided"),
        ({"at": NOW - WITHIN - 1}, "appeal.late"),
        ({"at": NOW - WITHIN - 1, "check": "limit"}, "appeal.late"),
    ],
)
def test_inadmissible_is_told_why(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(AppealRefused) as refused:
        admitted(DECISION._replace(**changed), NOW, WITHIN)
    assert refused.value.reason == reason


def test_a_code_of_nothing_is_told_as_one_of_what_was_published() -> None:
    with pytest.raises(AppealRefused) as refused:
        admitted(None, NOW, WITHIN)
    assert refused.value.reason == "appeal.unknown"
