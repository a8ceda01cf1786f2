"""Cases, as control knows them: rows that people's acts and tasks move on alike. People work on them in ``review``."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.control.calls.feature import Feature, Surroundings
from gateway.control.cases import cases
from gateway.control.cases.case_upkeep import CaseUpkeep
from gateway.control.cases.rows import Case, CaseCause, CaseEvent, CaseHit, CaseSample


def opened(surroundings: Surroundings) -> Sequence[object]:
    """Claims end by themselves."""
    return (CaseUpkeep(surroundings.ledger),)


CASES = Feature(
    endpoints=(),
    rows=(Case, CaseCause, CaseEvent, CaseHit, CaseSample),
    opened=opened,
    ended={"cases": cases.prune},
)
