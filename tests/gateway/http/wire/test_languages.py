"""Accept-Language as RFC 9110, section 12.5.4, means it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.wire.languages import MOST, preferred

OFFERED = ("en", "zh")


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        (None, ""),
        (b"", ""),
        (b"zh", "zh"),
        (b"zh-CN", "zh"),
        (b"ZH-hant-tw", "zh"),
        (b"zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (b"en-GB,en;q=0.9,zh-CN;q=0.8", "en"),
        (b"en;q=0.3, zh-TW;q=0.4", "zh"),
        (b"fr, de;q=0.9", ""),
        (b"fr, en;q=0.1", "en"),
        (b"zh, en", "zh"),  # of equal ones the one that is named first
        (b"en, zh", "en"),
        (b"*", ""),
        (b"*, en;q=0.5", "zh"),
        (b"en;q=0, *", "zh"),
        (b"zh;q=0", ""),
        (b"zh;q=0, en;q=0, *;q=1", ""),
        (b"en;q=0.500 , zh ; q=1.000", "zh"),
        (b"zh;q=2, en;q=0.1", "en"),  # no quality: no range
        (b"zh;level=1, en;q=0.1", "en"),
        (b"zhx, en;q=0.1", "en"),
        (b";;,,=,zh", "zh"),
        (b"fr," * MOST + b"zh", ""),  # bounded
    ],
)
def test_which_language_is_preferred(field: bytes | None, wanted: str) -> None:
    assert preferred(field, OFFERED) == wanted


@given(st.binary(max_size=60) | st.text("zhen-*;q=01., ", max_size=60).map(str.encode))
def test_any_bytes_are_an_answer(field: bytes) -> None:
    assert preferred(field, OFFERED) in ("", *OFFERED)


_QUALITIES = st.integers(0, 1000)


@given(_QUALITIES, _QUALITIES)
def test_the_higher_quality_wins(chinese: int, english: int) -> None:
    field = b"zh-CN;q=%d.%03d, en-US;q=%d.%03d" % (*divmod(chinese, 1000), *divmod(english, 1000))
    best = "zh" if chinese >= english else "en"
    assert preferred(field, OFFERED) == (best if max(chinese, english) else "")
