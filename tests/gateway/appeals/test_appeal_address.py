"""An address for one message, and for none."""

from gateway.appeals.appeal_address import NOWHERE, AppealAddress
from gateway.appeals.codes import Codes
from gateway.journal.write.ids import Ids

CODES = Codes(b"k" * 32)


def test_the_code_stands_in_the_address() -> None:
    one = Ids(0, 0)()
    address, code = AppealAddress("/appeals?code={code}&m={id}", CODES).of(one)
    assert code == CODES.code(one)
    assert address == f"/appeals?code={code}&m={{id}}"  # the id is filled in by who writes the answer


def test_without_codes_there_is_the_address_alone() -> None:
    assert AppealAddress("/a?{id}").of("m1") == ("/a?{id}", "")
    assert NOWHERE.of("m1") == ("", "")


def test_where_no_message_is_at_hand_only_a_plain_address_is_told() -> None:
    assert AppealAddress("/appeals", CODES).standing == "/appeals"
    assert AppealAddress("/appeals?{code}", CODES).standing == ""
    assert AppealAddress("/appeals?{id}", CODES).standing == ""
