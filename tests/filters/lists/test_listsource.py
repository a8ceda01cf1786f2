"""The word-list syntax: what a line means, and every mistake told with its line and remedy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.lists.listsource import (
    ENTRIES_MAX,
    LINE_MAX,
    NOTICES_MAX,
    PATTERNS_MAX,
    PROBLEMS_MAX,
    Entry,
    ListErrors,
    parse,
)
from filters.text.tables import PATTERNS, WORDS

FULL = """\
# A list with everything in it.
@fold leetspeak on
@fold numbers, traditional off
@category spam
@severity 4

代开发票
buy followers   # two words
刷单返利 | severity 9 | category fraud
idiot | whole-word off
代开 & 发票 & !咨询
@severity 2
@whole-word on
加vx
@allow 反诈骗
\\#话题
\\@somebody
C# | severity 1
AT&T
"""


def test_everything_a_list_can_say() -> None:
    parsed = parse(FULL, "full")
    assert parsed.switches == WORDS.changed({"leetspeak": True, "numbers": False, "traditional": False})
    assert parsed.entries == [
        Entry(7, "代开发票", ("代开发票",), category="spam", severity=4),
        Entry(8, "buy followers", ("buy followers",), category="spam", severity=4),
        Entry(9, "刷单返利", ("刷单返利",), category="fraud", severity=9),
        Entry(10, "idiot", ("idiot",), category="spam", severity=4, whole=False),
        Entry(11, "代开 & 发票 & !咨询", ("代开", "发票"), ("咨询",), category="spam", severity=4),
        Entry(14, "加vx", ("加vx",), category="spam", severity=2, whole=True),
        Entry(15, "反诈骗", ("反诈骗",), allow=True, category="spam"),
        Entry(16, "#话题", ("#话题",), category="spam", severity=2, whole=True),
        Entry(17, "@somebody", ("@somebody",), category="spam", severity=2, whole=True),
        Entry(18, "C#", ("C#",), category="spam", severity=1, whole=True),
        Entry(19, "AT&T", ("AT&T",), category="spam", severity=2, whole=True),
    ]


@pytest.mark.parametrize(
    ("end", "named"),
    [("\r", "carriage return"), ("\u2028", "U+2028"), ("\u2029", "U+2029"), ("\x85", "U+0085"), ("\x0b", "vertical")],
)
def test_every_line_end_of_an_editor_ends_a_line(end: str, named: str) -> None:
    parsed = parse(f"傻瓜{end}赌博{end}", "l")
    assert [(entry.line, entry.source) for entry in parsed.entries] == [(1, "傻瓜"), (2, "赌博")]
    assert [(notice.line, named in notice.what) for notice in parsed.notices] == [(1, True)]
    assert parse("a\r\nb\r\n", "l").notices == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("@fold case on\n@fold marks, case off\na", "line 2: @fold case off, but @fold case on in line 1"),
        ("@kind words\n@kind patterns\na", "line 2: @kind patterns, but @kind words in line 1"),
        ("@match raw\n@match folded\na", "line 2: @match folded, but @match raw in line 1"),
        ("a | severity 3 | severity 4", "line 1: severity 3 and severity 4 for one word"),
        ("a | signs on | signs off", "line 1: signs on and signs off for one word"),
        ("s\0p\0a\0m\0", "line 1: a NUL character"),
    ],
)
def test_what_contradicts_itself_is_refused(text: str, what: str) -> None:
    with pytest.raises(ListErrors) as caught:
        parse(text, "l")
    assert [str(problem).partition(";")[0] for problem in caught.value.problems] == [what]


def test_saying_the_same_twice_is_no_contradiction() -> None:
    parse("@fold case on\n@fold case on\na | severity 3 | severity 3", "l")


def test_a_million_equal_lines_are_one_word_and_few_notes() -> None:
    parsed = parse("赌\n" * 100_000, "l")
    assert len(parsed.entries) == 1
    assert len(parsed.notices) == NOTICES_MAX
    assert parsed.unsaid == 100_000 - 1 - NOTICES_MAX


def test_defaults() -> None:
    parsed = parse("\ufeff傻瓜\r\n\r\n", "abuse")
    assert parsed.entries == [Entry(1, "傻瓜", ("傻瓜",), category="abuse", severity=5)]
    assert parsed.switches == WORDS


def test_patterns_are_taken_as_they_stand() -> None:
    parsed = parse("@kind patterns\n@severity 6\na|b & c # no comment\n@allow x\n# comment\n", "links")
    assert parsed.switches == PATTERNS
    assert [entry.source for entry in parsed.entries] == ["a|b & c # no comment", "x"]
    assert [entry.allow for entry in parsed.entries] == [False, True]


def test_the_configuration_stands_above_kind_and_switches_and_below_categories() -> None:
    parsed = parse("a+\n@category mine\nb+", "l", kind="patterns", category="outer", fold={"separators": True})
    assert parsed.kind == "patterns"
    assert parsed.switches.separators
    assert [entry.category for entry in parsed.entries] == ["outer", "mine"]
    assert parse("@kind patterns\na", "l", kind="words").kind == "words"


@pytest.mark.parametrize(
    ("line", "what", "remedy"),
    [
        ("@fold rot13 on", "unknown folding 'rot13'", "leetspeak"),
        ("@fold leetspeak maybe", "@fold 'maybe'", "@fold on or @fold off"),
        ("@fold on", "no folding is named", "@fold leetspeak on"),
        ("@kind regex", "unknown kind 'regex'", "@kind words or @kind patterns"),
        ("@match both", "unknown text 'both'", "@match raw or @match folded"),
        ("@severity 10", "severity '10'", "from 1 (slight) to 9 (grave)"),
        ("@severity ٣", "severity '٣'", "from 1"),
        ("@category", "'' is no category", "senders read it"),
        ("@category a\tb", "is no category", "senders read it"),
        ("@whole-word yes", "@whole-word 'yes'", "on or @whole-word off"),
        ("@wholeword on", "unknown directive @wholeword", "a word that begins with @ is written \\@"),
        ("@allow", "@allow without a phrase", "write the harmless phrase"),
        ("word | weight 3", "unknown attribute 'weight'", "category, severity or whole-word"),
        ("word | severity 0", "severity '0'", "from 1"),
        ("!a & !b", "a rule of refused parts only", "at least one word"),
        ("a & & b", "an empty part", "on both sides"),
        ("& b", "an empty part", "on both sides"),
        ("a &", "an empty part", "on both sides"),
        (" & ".join("abcdefghi"), "a rule of 9 parts", "at most 8"),
        ("长" * 200, "a word of 200 characters", "at most 128"),
        ("x" * (LINE_MAX + 1), "the line has 1025 characters", "is this a word list?"),
    ],
)
def test_each_mistake_says_line_what_and_remedy(line: str, what: str, remedy: str) -> None:
    with pytest.raises(ListErrors) as caught:
        parse(f"# first\n{line}\n", "bad")
    (problem,) = caught.value.problems
    assert problem.line == 2
    assert what in problem.what
    assert remedy in problem.remedy
    assert str(caught.value).startswith("list bad: line 2: ")


def test_all_mistakes_at_once() -> None:
    with pytest.raises(ListErrors) as caught:
        parse("@severity 0\nword\n@fold case off\n@nonsense\n", "bad")
    assert [problem.line for problem in caught.value.problems] == [1, 3, 4]
    assert "after the first word" in caught.value.problems[1].what


def test_a_flood_of_mistakes_is_counted() -> None:
    with pytest.raises(ListErrors) as caught:
        parse("@nonsense\n" * (PROBLEMS_MAX + 7), "bad")
    assert len(caught.value.problems) == PROBLEMS_MAX
    assert caught.value.more == 7
    assert str(caught.value).endswith("7 more problems")


def test_unknown_switch_from_the_configuration() -> None:
    with pytest.raises(ListErrors, match="the configuration sets no such folding: rot13"):
        parse("word", "bad", fold={"rot13": True})


def test_too_many_patterns() -> None:
    with pytest.raises(ListErrors, match="1001 entries; at most 1000"):
        parse("@kind patterns\n" + "\n".join(map(str, range(PATTERNS_MAX + 1))), "bad")
    assert ENTRIES_MAX > 1_000_000


def test_the_same_line_twice_is_a_notice() -> None:
    parsed = parse("傻瓜\n傻瓜\n", "abuse")
    assert len(parsed.entries) == 1
    assert [str(notice) for notice in parsed.notices] == ["line 2: the same as line 1; one of them can go"]


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parsed = parse(text, "any")
    except ListErrors as errors:
        assert errors.problems
    else:
        assert all(entry.parts and all(entry.parts) for entry in parsed.entries)


def test_a_word_that_stood_there_before_says_nothing_more() -> None:
    parsed = parse("a\na | repeats off\nb | clause all", "list")
    assert [(entry.source, entry.strict and entry.strict.clause) for entry in parsed.entries] == [
        ("a", None),
        ("b", "all"),
    ]
    assert [notice.line for notice in parsed.notices] == [2]
