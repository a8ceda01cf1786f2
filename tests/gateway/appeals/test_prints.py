"""A text that was not kept is known again as people enter it."""

from gateway.appeals.codes import Codes
from gateway.appeals.prints import Prints
from gateway.words.files import folding_tables

PRINTS = Prints(Codes(b"k" * 32), folding_tables())


def test_spaces_case_and_line_ends_do_not_matter() -> None:
    told = PRINTS.of(["问：Buy followers?", "second field"])
    assert len(told) == 16
    assert PRINTS.of(["问:  BUY\r\nfollowers?  second\nfield"]) == told
    assert PRINTS.of(["问：Buy followers? third field"]) != told


def test_what_folds_to_nothing_is_told_apart() -> None:
    assert PRINTS.of(["!!!"]) != PRINTS.of(["???"])


def test_another_key_gives_another_digest() -> None:
    other = Prints(Codes(b"o" * 32), folding_tables())
    assert other.of(["hello"]) != PRINTS.of(["hello"])
