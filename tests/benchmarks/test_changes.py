"""What a change is worth is told by ratios within a round, whatever the machine did between two of them."""

import pytest

from benchmarks.changes import compared


def test_a_machine_that_slows_down_changes_no_ratio() -> None:
    slow = [1.0, 1.0, 2.0, 4.0, 1.0]
    figures = compared(
        {"nginx": [20.0 * f for f in slow], "before": [80.0 * f for f in slow], "after": [60.0 * f for f in slow]}
    )
    assert figures["after"]["/before"] == {"median": 0.75, "low": 0.75, "high": 0.75}
    assert figures["before"]["/nginx"]["median"] == 4.0
    assert figures["after"]["us"]["median"] == 60.0


def test_systems_are_compared_round_by_round() -> None:
    with pytest.raises(ValueError, match="zip"):
        compared({"before": [1.0, 2.0], "after": [1.0]})
