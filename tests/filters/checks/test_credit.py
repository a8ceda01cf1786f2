"""Credit below a level, and whose it is."""

from filters.checks import credit
from filters.model.message import Vouched
from filters.model.verdict import Account, Facts
from tests.filters.checks.finding import MESSAGE, found


def test_a_level() -> None:
    options = credit.Options(40)
    assert found("credit", options, Facts(account=Account(True, credit=39))) == ["credit.low"]
    assert found("credit", options, Facts(account=Account(True, credit=40))) == []
    assert found("credit", options, Facts()) == [], "nobody's credit is a matter of identity"
    assert found("credit", options, Facts(missing={"account": "state.epoch"})) == "state.epoch"
    vouched = MESSAGE._replace(vouched=Vouched(True, level=20))
    assert found("credit", options, Facts(account=Account(True, credit=90)), message=vouched) == ["credit.low"]
