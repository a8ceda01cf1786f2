from gateway.obligations.fulfilment import GRADE_NAMES, GRADES, together


def test_all_or_partly_or_not() -> None:
    assert together(["kept", "kept"]) == "kept"
    assert together(["not", "not"]) == "not"
    assert together(["kept", "not"]) == together(["partly", "not"]) == together(["kept", "partly"]) == "partly"
    assert set(GRADE_NAMES) == set(GRADES)
