"""Folding against its laws: the slow form is the definition, Unicode's own normal forms change nothing, the way back
is exact."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.text.folding import AGAIN, FOLDED_MAX, FoldBound, Folder, folder
from filters.text.tables import PATTERNS, SWITCHES, WORDS, FoldTables, FoldTablesError, Switches
from gateway.words.files import folding_tables

TABLES = folding_tables()
READER = folder(TABLES, WORDS)
LEET = folder(TABLES, WORDS.changed({"leetspeak": True}))
OFF = Switches(**dict.fromkeys(SWITCHES, False))

# Everything that has its own branch: dropped, expanding, composing across characters, doubled, styled, outside the BMP.
TRICKY = (
    "aAbl1!@ 网網上赌二肆⑸⓿.★😀\u200b\ufe0f\u202e\u0301\u0332\u3099\u309b´か\uff76\uff9e한ᄒ\u1161\u11abㅎㅏ각"
    "ภ\u0e38\u0e48\u0e47\u0915\u093c\u094dßﬀ㍿ﷺ𝓲🅰İıſйΣς\n\0\ud800\u0345"
)
texts = st.one_of(st.text(st.sampled_from(TRICKY), max_size=24), st.text(max_size=24))
PREPARED = {on: Folder(TABLES, on) for on in (WORDS, PATTERNS, OFF)}
for each in PREPARED.values():
    each.prepare()
switches = st.builds(Switches, *[st.booleans() for _ in SWITCHES])


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("网上赌博", "网上赌博"),
        ("網上賭博", "网上赌博"),
        ("ＩＤＩＯＴ", "idiot"),
        ("𝓲𝓭𝓲𝓸𝓽 𝕚𝕕𝕚𝕠𝕥", "idiotidiot"),
        ("🅸🅳🅸🅾🆃 ⓘⓓⓘⓞⓣ 🇮🇩🇮🇴🇹", "idiotidiotidiot"),
        ("ɪᴅɪᴏᴛ", "idiot"),
        ("іdіоt ιdιοτ IDIOТ", "idiotidiotidiot"),
        ("i\u200bd\u202ei\ufe0fo\u2060t", "idiot"),
        ("i\u0332d\u0332i\u0301ót", "idiot"),
        ("网.上-赌★博", "网上赌博"),
        ("网😀上👨‍👩‍👧赌🏳️‍🌈博", "网上赌博"),
        ("网\u3000上\n赌\t博", "网上赌博"),
        ("网网网上上赌赌赌赌博", "网上赌博"),
        ("⓿ 1 二 叁 肆 ⑸ ❻ 7️⃣ ８ ٩", "0123456789"),
        ("㊀⒉⓷④𝟝₆⁷", "1234567"),
        ("⑫ ⓬ ㈩", "1212十"),
        ("ⅰⅮⅰoT", "idiot"),
        ("Straße", "strase"),
        ("网็上็็赌博", "网上赌博"),
        ("カﾞガｶ\u3099", "が"),
        ("ㅎㅏㄴ", "한"),
        ("\ud800a\0b", "ab"),
        ("", ""),
        ("★😀", ""),
    ],
)
def test_spellings_of_one_word(written: str, folded: str) -> None:
    assert READER.word(written) == folded


@pytest.mark.parametrize(
    ("switch", "written", "without"),
    [
        ("width", "ｉ", "ｉ"),
        ("numbers", "二⑸", "二⑸"),
        ("styled", "𝓲", "𝓲"),
        ("compat", "㍿", "㍿"),
        ("marks", "é", "é"),
        ("case", "Ab", "Ab"),
        ("traditional", "網", "網"),
        ("variants", "発⺠", "発⺠"),
        ("kana", "バ", "バ"),
        ("lookalike", "о", "о"),
        ("leetspeak", "1", "1"),
        ("invisible", "a\u200bb", "a\u200bb"),
        ("separators", "a, b", "a, b"),
        ("repeats", "aab", "aab"),
    ],
)
def test_each_switch_stands_for_one_folding(switch: str, written: str, without: str) -> None:
    assert folder(TABLES, OFF).text(written) == without
    assert folder(TABLES, OFF.changed({switch: True})).text(written) != without


def test_unknown_switch() -> None:
    with pytest.raises(KeyError):
        WORDS.changed({"rot13": True})


def test_leetspeak_only_where_it_is_asked_for() -> None:
    assert LEET.text("1D!0T") == LEET.text("idiot")
    assert READER.text("1D!0T") != READER.text("idiot")


def test_ordinary_writing_of_other_scripts_stays_itself() -> None:
    """Look-alikes make Cyrillic partly Latin, but the same way in both cases, so its words still find themselves."""
    for word in ("привет", "ёлка", "ΆΝΘΡΩΠΟΣ", "한국어", "ไทย", "हिन्दी", "عربي", "ひらがな", "カタカナ"):
        assert READER.word(word) == READER.word(word.upper()) == READER.word(word.lower())
        assert READER.text(word)
    assert READER.text("か") != READER.text("が")
    assert READER.text("ฟ้า") != READER.text("ฟา")


@given(texts, switches)
def test_the_fast_form_is_the_definition(text: str, on: Switches) -> None:
    reader = folder(TABLES, on)
    assert reader.text(text, 10_000) == reader.readings(text)[0]


@pytest.mark.parametrize("on", [WORDS, PATTERNS, OFF, WORDS.changed({"compat": False, "leetspeak": True})])
def test_a_prepared_reader_skips_only_what_folds_to_itself(on: Switches) -> None:
    reader = Folder(TABLES, on)
    reader.prepare()
    reader.prepare()
    assert any(reader._plain)
    for code, plain in enumerate(reader._plain):
        if plain:
            assert reader.single(chr(code)) == chr(code)
            assert code not in TABLES.context or not on.compat
    assert reader._changing is not None
    known = "".join(map(chr, range(sys.maxunicode + 1)))
    assert reader._changing(lambda _: "", known) == "".join(
        chr(code) for code, plain in enumerate(reader._plain) if plain
    )


@given(texts, st.sampled_from([WORDS, PATTERNS, OFF]))
def test_a_prepared_reader_gives_the_definition(text: str, on: Switches) -> None:
    reader = PREPARED[on]
    assert reader.text(text, 10_000) == reader.readings(text)[0]


@given(texts, switches)
def test_passes_and_the_walk_fold_alike(text: str, on: Switches) -> None:
    for reader in (folder(TABLES, on), PREPARED[WORDS]):
        assert reader._passed(text) == reader._walked(text)


@given(texts)
def test_idempotent(text: str) -> None:
    for reader in (READER, LEET, folder(TABLES, PATTERNS)):
        once = reader.word(text)
        assert reader.word(once) == once


def test_idempotent_for_every_character_of_the_tables() -> None:
    codes = {code for table in TABLES.maps.values() for code in table}
    codes |= {code for code in range(sys.maxunicode + 1) if code in TABLES.context}
    for reader in (READER, folder(TABLES, PATTERNS)):
        wrong = [hex(code) for code in codes if reader.word(once := reader.word(chr(code))) != once]
        assert wrong == []


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_normal_forms_fold_alike_for_every_character(form: str) -> None:
    """What NormalizationTest.txt asks, for every character that the interpreter knows. The compatibility forms say
    only one of the two readings that a symbol has."""
    reader = READER.word if "K" in form else READER.text
    wrong = [
        hex(code)
        for code in range(sys.maxunicode + 1)
        if (normal := unicodedata.normalize(form, chr(code))) != chr(code)  # type: ignore[arg-type]
        and reader(normal) != reader(chr(code))
    ]
    assert wrong == []


@given(st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=12))
def test_normal_forms_of_texts_fold_alike(text: str) -> None:
    for form in ("NFC", "NFD"):
        assert READER.text(unicodedata.normalize(form, text)) == READER.text(text)  # type: ignore[arg-type]


def test_cases_fold_alike_for_every_character() -> None:
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        if "\u0345" in unicodedata.normalize("NFD", char):
            continue  # the iota below: capitals write it as a letter of its own
        for other in (char.upper(), char.lower()):
            if other != char:
                assert READER.word(other) == READER.word(char), hex(code)


@given(texts, switches)
def test_spans_lie_in_the_original_and_in_order(text: str, on: Switches) -> None:
    folded = folder(TABLES, on).fold(text, 10_000)
    starts, ends, counts = folded.map
    assert len(starts) == len(ends) == len(counts) == len(folded.text)
    assert all(
        0 <= start < end <= len(text) or char == AGAIN
        for start, end, char in zip(starts, ends, folded.text, strict=True)
    )
    assert all(count > 0 for count in counts)
    parted = folded.text.find(AGAIN)
    for part in (slice(0, parted), slice(parted + 1, None)) if parted >= 0 else (slice(None),):
        assert starts[part] == sorted(starts[part])
        assert ends[part] == sorted(ends[part])


@given(texts, st.data())
def test_a_span_folds_to_what_it_stands_for(text: str, data: st.DataObject) -> None:
    """The stretch of the original alone gives the same folded characters, where no neighbour leans on it."""
    folded = READER.fold(text, 10_000)
    if not folded.text:
        return
    start = data.draw(st.integers(0, len(folded.text) - 1))
    end = data.draw(st.integers(start + 1, len(folded.text)))
    if AGAIN in folded.text[start:end]:
        return
    first, last = folded.span(start, end)
    assert folded.text[start:end] in READER.text(text[first:last])


def test_span_covers_separators_inside_and_marks_at_the_end() -> None:
    text = "看!网.上😀赌★博\u0301\ufe0f!"
    folded = READER.fold(text)
    start = folded.text.index("网")
    first, last = folded.span(start, start + 4)
    assert text[first:last] == "网.上😀赌★博\u0301\ufe0f"


def test_the_map_is_made_only_when_it_is_asked_for(tables: FoldTables) -> None:
    class Counting(Folder):
        __slots__ = ("asked",)
        asked: int

        def readings(self, text: str) -> tuple[str, list[int], list[int], list[int]]:
            self.asked += 1
            return super().readings(text)

    reader = Counting(tables, WORDS)
    reader.asked = 0
    folded = reader.fold("网.上-赌博")
    assert reader.asked == 0
    folded.span(0, 1)
    folded.span(1, 2)
    assert reader.asked == 1


def test_bound_after_folding() -> None:
    long = folder(TABLES, PATTERNS)
    with pytest.raises(FoldBound, match="16384"):
        long.text("\ufdfa" * 1_024)  # one ligature of eighteen letters
    with pytest.raises(FoldBound):
        long.text("a" * (FOLDED_MAX + 1))
    assert len(long.text("ab" * (FOLDED_MAX // 2))) == FOLDED_MAX


def test_a_heap_of_marks_costs_bounded_work() -> None:
    assert READER.text("a" + "\u0e38\u0e48\u094d" * 1_365) == "a"
    assert READER.text("\u0e01" + "\u0e38" * 4_000) == "\u0e01\u0e38"


def test_trail_ends_in_the_folded_text() -> None:
    folded = READER.fold("網.上-ＤＤ★肆𝓲")
    assert [step.folding for step in folded.trail] == [
        "width",
        "numbers",
        "styled",
        "case",
        "traditional",
        "separators",
        "repeats",
    ]
    assert folded.trail[-1].text == folded.text
    assert READER.fold("ab").trail == ()


@given(texts)
def test_trail_of_any_text(text: str) -> None:
    trail = READER.trail(text)
    assert (trail[-1].text if trail else text) == READER.word(text)


@pytest.mark.parametrize(
    ("data", "told"),
    [(b"", "no section"), (b"@map width\nzz 1\n", "line 2"), (b"@set word\n12\n", "line 2"), (b"\xff\n", "line 1")],
)
def test_broken_tables_say_where(data: bytes, told: str) -> None:
    with pytest.raises(FoldTablesError, match=told):
        FoldTables.from_bytes(data)


def test_digest_follows_the_data(tables: FoldTables) -> None:
    assert len(tables.digest) == 64
    assert folding_tables() is folding_tables()
