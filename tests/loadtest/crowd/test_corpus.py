"""The corpus is what it says it is: the gateway's own reading of the demo's lists is asked."""

from importlib import resources

import pytest

from filters.lists.wordlist import compile_list, load, parse
from filters.model.verdict import Finding
from filters.policy import masked
from filters.reading.keywords import Scanner
from gateway.words.files import folding_tables
from loadtest.crowd.corpus import ABUSE, DENIED, HONEST, HOSTILE, LENGTHS, Corpus, Kind, Line

LISTS = ("spam", "gambling", "abuse")


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    tables = folding_tables()
    folder = resources.files("gateway.demo").joinpath("lists")
    texts = {name: folder.joinpath(f"{name}.txt").read_text(encoding="utf-8") for name in LISTS}
    return Scanner(
        [load(compile_list(parse(text, name), tables).data, tables) for name, text in texts.items()], fingerprint=True
    )


@pytest.mark.parametrize("register", LENGTHS)
def test_every_line_gets_what_it_is_said_to_get(scanner: Scanner, register: str) -> None:
    corpus = Corpus(register, seed=7)  # type: ignore[arg-type]
    for kind in HONEST:
        for line in corpus.lines(kind):
            check(scanner, kind, line)


def check(scanner: Scanner, kind: Kind, line: Line) -> None:
    scan = scanner.scan((line.text,))
    told = (kind, line.text, dict(scan.hits))
    assert scan.fingerprint == line.mark, told
    assert not scan.failed, told
    if line.category:
        assert kind in ("denied", "evasive"), told
        assert line.category in scan.hits, told
        assert not scan.hits.keys() - {line.category, "abuse"}, told
    elif kind == "masked":
        assert set(scan.hits) == {"abuse"}, told
        findings = [Finding("keywords", "keyword.match", hit) for hit in scan.hits["abuse"]]
        assert masked((line.text,), findings) == (line.published,), told
    else:
        assert not scan.hits, told
        assert line.published == line.text


def test_the_words_are_those_of_the_demo(scanner: Scanner) -> None:
    for category, words in {**DENIED, "abuse": ABUSE}.items():
        for word in words:
            assert category in scanner.scan((word,)).hits, word


def test_lengths_are_those_of_the_real_thing() -> None:
    comments = sorted(len(line.text) for line in Corpus("comment", 1).lines("plain"))
    bullets = sorted(len(line.text) for line in Corpus("bullet", 1).lines("plain"))
    middle, long = len(comments) // 2, int(len(comments) * 0.99)
    assert 12 <= comments[middle] <= 35
    assert 120 <= comments[long] <= 500
    assert bullets[len(bullets) // 2] <= 8
    assert bullets[-1] <= 45


def test_one_seed_gives_one_corpus() -> None:
    first, second = Corpus("chat", 3, 200), Corpus("chat", 3, 200)
    assert first.lines("evasive") == second.lines("evasive")
    assert first.lines("plain") != Corpus("chat", 4, 200).lines("plain")


@pytest.mark.parametrize("mix", [HONEST, HOSTILE])
def test_shares_add_up(mix: dict[Kind, float]) -> None:
    assert sum(mix.values()) == pytest.approx(1.0)
