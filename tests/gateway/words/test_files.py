"""Loading artifacts from disk, and the demo's own lists."""

import os
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from filters.lists.artifact import ArtifactError
from filters.lists.wordlist import WordList
from filters.reading.keywords import Scanner
from gateway.words.compile import compile_lists
from gateway.words.errors import WordListError
from gateway.words.files import PIECE, _read, folding_tables, load_artifact, read_list
from gateway.words.specs import ListSpec, of_config

DEMO = Path(__file__).parents[3] / "gateway" / "demo"


def test_the_demo_lists_say_what_the_contract_says(tmp_path: Path) -> None:
    # The same files may be read in other ways besides: bullets, several of them as one text.
    specs = [spec for spec in of_config(DEMO / "tidegate.toml") if spec.name in ("spam", "gambling", "abuse")]
    assert [spec.name for spec in specs] == ["spam", "gambling", "abuse"]
    manifest = compile_lists(specs, tmp_path)
    assert all(not built.notices for built in manifest.lists)
    lists = [load_artifact(manifest.path(tmp_path, spec.name), folding_tables()) for spec in specs]
    scanner = Scanner(lists)
    for name, words in {
        "spam": ["代开发票", "加微信领红包", "刷单返利", "buy followers"],
        "gambling": ["网上赌博", "网上赌场开户"],
        "abuse": ["傻瓜", "idiot"],
    }.items():
        for word in words:
            hits = scanner.scan((f"看：{word}！",)).hits
            assert list(hits) == [name]
            assert [hit.category for hit in hits[name]] == [name]
    assert not scanner.scan(("反网上赌博",)).hits
    assert len({each.switches for each in lists}) == 1  # so that a message is folded once


@pytest.mark.parametrize("content", [b"", b"not an artifact at all, but long enough", b"TIDEGATE" + bytes(100)])
def test_what_is_no_artifact(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.tga"
    path.write_bytes(content)
    with pytest.raises(ArtifactError):
        load_artifact(path, folding_tables())
    with pytest.raises(FileNotFoundError):
        load_artifact(tmp_path / "gone.tga", folding_tables())


def test_any_damage_to_a_file_is_found(listed: Callable[..., ListSpec], tmp_path: Path) -> None:
    path = compile_lists([listed("l", "傻瓜\nidiot\n")], tmp_path).path(tmp_path, "l")
    good = path.read_bytes()
    for place in range(0, len(good) - 8, len(good) // 40):
        path.write_bytes(good[:place] + bytes([good[place] ^ 0x55]) + good[place + 1 :])
        with pytest.raises(ArtifactError):
            load_artifact(path, folding_tables())


def test_a_list_outlives_its_file_and_serves_several_threads(listed: Callable[..., ListSpec], tmp_path: Path) -> None:
    words = [chr(0x4E00 + place) + chr(0x5E00 + place) for place in range(2_000)]
    path = compile_lists([listed("l", "\n".join(words))], tmp_path).path(tmp_path, "l")
    loaded: list[WordList] = []

    def work() -> None:
        found = load_artifact(path, folding_tables())
        assert isinstance(found, WordList)
        loaded.append(found)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    path.unlink()
    for each in loaded:
        (hit,) = Scanner([each]).scan((words[1_234],)).hits["l"]
        assert each.word(hit.word_id) == words[1_234]


def test_an_automaton_is_read_in_pieces_and_copied_by_none(tmp_path: Path) -> None:
    content = bytes(range(251)) * 20_000
    path = tmp_path / "section"
    path.write_bytes(b"before" + content + b"behind")
    with path.open("rb") as file:
        tracemalloc.start()
        try:
            data = _read(file.fileno(), 6, len(content))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert data == content
        assert len(content) > 4 * PIECE
        assert peak < len(content) + 2 * PIECE
        with pytest.raises(ArtifactError, match="shorter"):
            _read(file.fileno(), 6, len(content) + 7)


@pytest.mark.parametrize(
    ("data", "line", "what"),
    [
        ("赌博\n网上赌博\n傻".encode()[:-1], 3, "the file ends within a character"),
        ("赌博\n网上赌博".encode()[:-2], 2, "the file ends within a character"),
        (b"ok\n\xe8\xb5\nmore\n", 2, "is not UTF-8"),
        ("赌博\n".encode("gbk"), 1, "is not UTF-8"),
        ("赌博\n".encode("utf-16"), 1, "is not UTF-8"),
        ("赌博\n".encode("utf-16-le"), 1, "is not UTF-8"),
        (b"\xed\xa0\x80\n", 1, "is not UTF-8"),
        ("赌\0博\n".encode(), 1, "a NUL character"),
        ("x\n".encode("utf-32-le"), 1, "a NUL character"),
    ],
)
def test_bytes_that_are_no_list(listed: Callable[..., ListSpec], data: bytes, line: int, what: str) -> None:
    with pytest.raises(WordListError) as caught:
        read_list(listed("l", data))
    first = caught.value.faults[0]
    assert (first.line, first.what) == (line, what)
    assert first.remedy


def test_what_is_no_file_is_said_to_be_none_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.txt"
    os.mkfifo(pipe)
    dangling = tmp_path / "dangling.txt"
    dangling.symlink_to(tmp_path / "gone")
    for path, what in (
        (pipe, "is no file"),
        (Path("/dev/zero"), "is no file"),
        (tmp_path, "cannot be read: Is a directory"),
        (dangling, "cannot be read: No such file or directory"),
    ):
        with pytest.raises(WordListError, match=what):
            read_list(ListSpec("l", str(path)))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028", "\x85"])
def test_a_mark_of_byte_order_and_ends_of_lines_are_no_part_of_words(listed: Callable[..., ListSpec], end: str) -> None:
    parsed = read_list(listed("l", f"\ufeff赌博{end}\ufeff傻瓜{end}"))
    assert [entry.source.strip("\ufeff") for entry in parsed.entries] == ["赌博", "傻瓜"]
    assert bool(parsed.notices) == (end not in ("\n", "\r\n"))


def test_a_line_again_and_again_is_one_word_with_bounded_notes(listed: Callable[..., ListSpec]) -> None:
    parsed = read_list(listed("l", "a\n" * 100_000))
    assert len(parsed.entries) == 1
    assert len(parsed.told()) == 101
    assert parsed.told()[-1].what == "99899 more notes"
