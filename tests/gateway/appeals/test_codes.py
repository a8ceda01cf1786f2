"""Codes lead back to their second and mark, as people type them, and say nothing to who has not the key."""

import pytest

from gateway.appeals.codes import ALPHABET, LENGTH, SECONDS, Codes, canonical
from gateway.journal.write.ids import Ids

CODES = Codes(b"k" * 32)
AT = 1_796_000_000  # seconds since the epoch


def an_id(second: int = AT) -> str:
    return Ids(3, 1, lambda: second * 10**9)()


def test_a_code_is_ten_characters_of_crockford_s_alphabet() -> None:
    code = CODES.code(an_id())
    assert len(code) == LENGTH
    assert set(code) <= set(ALPHABET)


def test_a_code_says_second_and_mark() -> None:
    for second in (0, 1, AT, AT + 1, SECONDS - 1, SECONDS, SECONDS + 5, (1 << 48) // 1000 - 1):
        one = an_id(second)
        told = CODES.read(CODES.code(one))
        assert told == (second % SECONDS, CODES.mark(one))


def test_messages_of_one_second_have_codes_of_their_own() -> None:
    ids = Ids(3, 1, lambda: AT * 10**9)
    codes = {CODES.code(ids()) for _ in range(200)}
    assert len(codes) > 195  # two of 200 agree in 22 bits once in two hundred runs


def test_neighbouring_seconds_look_nothing_alike() -> None:
    codes = [CODES.code(an_id(AT + seconds)) for seconds in range(64)]
    for place in range(LENGTH):
        assert len({code[place] for code in codes}) > 10


def test_what_people_mistake_is_read_all_the_same() -> None:
    code = next(code for second in range(AT, AT + 9999) if {"0", "1"} <= set(code := CODES.code(an_id(second))))
    told = CODES.read(code)
    for typed in (
        code.lower(), code.replace("0", "O"), code.replace("0", "o"), code.replace("1", "l"), code.replace("1", "I"),
        f" {code[:5]}-{code[5:]} ", "-".join(code), code.replace("1", "L"), f"{code[:4]} {code[4:7]}–{code[7:]}",
    ):  # fmt: skip
        assert CODES.read(typed) == told
        assert canonical(typed) == code


@pytest.mark.parametrize("text", ["", "ABC", "U234567890", "0" * 9, "0" * 11, "é23456789A", "٠١٢٣٤٥٦٧٨٩"])
def test_what_is_no_code_is_none(text: str) -> None:
    assert CODES.read(text) is None
    assert canonical(text) == ""


def test_another_key_reads_another_time() -> None:
    one = an_id()
    code = CODES.code(one)
    other = Codes(b"o" * 32)
    assert other.code(one) != code
    assert other.read(code) != CODES.read(code)
