"""The synthetic list: none of its words may occur in what the load sends."""

from pathlib import Path

from filters.lists.wordlist import of_words
from filters.reading.keywords import Scanner
from gateway.words.files import folding_tables
from rig import words
from rig.comments import Comments


def test_the_same_words_every_time_and_none_twice(tmp_path: Path) -> None:
    first = words.write(tmp_path / "a.txt", 3000).read_text(encoding="utf-8")
    assert words.write(tmp_path / "b.txt", 3000).read_text(encoding="utf-8") == first
    assert len(set(first.split())) == 3000


def test_no_word_hits_a_text_of_the_load(tmp_path: Path) -> None:
    listed = words.write(tmp_path / "words.txt", 20_000).read_text(encoding="utf-8").split()
    scanner = Scanner([of_words(listed, folding_tables())])
    comments = Comments(1)
    for _ in range(500):
        text = comments.next().decode().rpartition('":"')[2].removesuffix('"}')
        assert not scanner.scan((text,)).hits
    assert scanner.scan((f"well, {listed[7]}!",)).hits
