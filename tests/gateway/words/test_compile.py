"""Compiling files to artifacts, in this process and in another; nothing half-written, faults as data."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.words.compile import compile_in_process, compile_lists
from gateway.words.errors import Fault, WordListError
from gateway.words.files import folding_tables, load_artifact, write_whole
from gateway.words.manifest import Manifest
from gateway.words.specs import ListSpec

Listed = Callable[..., ListSpec]


def test_artifacts_are_named_by_content_and_load(listed: Listed, tmp_path: Path) -> None:
    out = tmp_path / "out" / "deep"
    manifest = compile_lists([listed("abuse", "傻瓜\nidiot\n"), listed("links", "@kind patterns\nhttp\n")], out)
    assert manifest.tables == folding_tables().digest
    abuse, links = manifest.lists
    assert abuse.file == f"abuse-{abuse.digest[:12]}.tga"
    assert (abuse.entries, abuse.kind, abuse.reused) == (2, "words", False)
    assert links.kind == "patterns"
    loaded = load_artifact(manifest.path(out, "abuse"), folding_tables())
    assert loaded.name == "abuse"
    assert loaded.digest == abuse.digest
    assert loaded.find("你傻瓜")
    assert load_artifact(manifest.path(out, "links"), folding_tables()).find("http")
    assert sorted(path.name for path in out.iterdir()) == sorted([abuse.file, links.file])
    assert Manifest.from_dict(json.loads(json.dumps(manifest.as_dict()))) == manifest
    with pytest.raises(KeyError):
        manifest.path(out, "other")


def test_an_artifact_that_is_there_is_left_alone_and_a_damaged_one_is_not(listed: Listed, tmp_path: Path) -> None:
    spec = listed("abuse", "傻瓜\n")
    path = compile_lists([spec], tmp_path / "out").path(tmp_path / "out", "abuse")
    before = path.stat().st_ino
    assert compile_lists([spec], tmp_path / "out").lists[0].reused
    assert path.stat().st_ino == before
    path.write_bytes(path.read_bytes()[:-16])
    assert not compile_lists([spec], tmp_path / "out").lists[0].reused
    assert load_artifact(path, folding_tables()).find("傻瓜")
    changed = listed("abuse", "傻瓜\n笨蛋\n")
    assert compile_lists([changed], tmp_path / "out").lists[0].file != path.name


def test_another_engine_is_another_artifact_with_the_same_answers(listed: Listed, tmp_path: Path) -> None:
    spec = listed("abuse", "傻瓜\nidiot\n")
    path = compile_lists([spec], tmp_path).path(tmp_path, "abuse")
    first = load_artifact(path, folding_tables())
    other = spec._replace(engine="pyahocorasick")
    assert not compile_lists([other], tmp_path).lists[0].reused
    assert compile_lists([other], tmp_path).lists[0].reused
    second = load_artifact(path, folding_tables())
    assert first.digest == second.digest
    for text in ("你傻瓜😀idiot", "idiotic", ""):
        assert first.find(text) == second.find(text)


def test_an_engine_that_is_not_there_is_a_fault(
    listed: Listed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "daachorse", None)
    with pytest.raises(WordListError) as caught:
        compile_lists([listed("abuse", "傻瓜\n")._replace(engine="daachorse")], tmp_path)
    assert "the engine daachorse cannot be used here" in str(caught.value)
    assert "server.engine" in str(caught.value)
    compile_lists([listed("abuse", "傻瓜\n")], tmp_path)


def test_all_faults_of_all_lists_at_once(listed: Listed, tmp_path: Path) -> None:
    specs = [
        listed("one", "@nonsense\n好\n@severity 0\n"),
        listed("good", "好\n"),
        listed("two", "好\n坏\n".encode() + b"\xff\n"),
        ListSpec("gone", str(tmp_path / "gone.txt")),
        listed("empty-word", "★\n"),
        listed("big", "好" * 100)._replace(max_size=10),
    ]
    with pytest.raises(WordListError) as caught:
        compile_lists(specs, tmp_path / "out")
    told = [(fault.list, fault.line) for fault in caught.value.faults]
    assert told == [("one", 1), ("one", 3), ("two", 3), ("gone", 0), ("empty-word", 1), ("big", 0)]
    assert all(fault.what and fault.remedy for fault in caught.value.faults)
    assert WordListError.from_dict(caught.value.as_dict()).faults == caught.value.faults
    assert f"{tmp_path / 'one.txt'}:1: " in str(caught.value)


def test_in_another_process(listed: Listed, tmp_path: Path) -> None:
    spec = listed("abuse", "傻瓜\n傻 瓜\n")
    manifest = compile_in_process([spec], tmp_path / "out")
    assert manifest.lists[0].notices[0].line == 2
    assert load_artifact(manifest.path(tmp_path / "out", "abuse"), folding_tables()).find("傻瓜")
    with pytest.raises(WordListError) as caught:
        compile_in_process([listed("bad", "@nonsense\n")], tmp_path / "out")
    assert caught.value.faults[0] == Fault(
        "bad", str(tmp_path / "bad.txt"), 1, "unknown directive @nonsense", caught.value.faults[0].remedy
    )


def test_a_process_that_takes_too_long_is_a_fault(listed: Listed, tmp_path: Path) -> None:
    with pytest.raises(WordListError, match=r"not compiled within 0\.001 s"):
        compile_in_process([listed("abuse", "傻瓜\n")], tmp_path / "out", seconds=0.001)


def test_a_request_it_does_not_understand() -> None:
    for request in (b"", b"[]", b'{"out": "x", "lists": [{"nome": 1}]}'):
        done = subprocess.run(
            [sys.executable, "-m", "gateway.words.compile"], input=request, capture_output=True, check=False
        )
        assert done.returncode == 2
        assert b"python -m gateway.words.compile" in done.stderr


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_a_folder_that_takes_no_file(listed: Listed) -> None:
    """``/proc`` refuses new files to everybody, root included."""
    with pytest.raises(WordListError, match="cannot be written"):
        compile_lists([listed("abuse", "傻瓜\n")], Path("/proc/self"))


def test_write_whole_leaves_nothing_behind_when_it_fails(tmp_path: Path) -> None:
    target = tmp_path / "x.tga"
    write_whole(target, b"first")
    (tmp_path / "folder.tga").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_whole(tmp_path / "folder.tga", b"second")
    assert target.read_bytes() == b"first"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.tga", "x.tga"]


def test_a_folder_that_cannot_be_made_is_told(listed: Listed, tmp_path: Path) -> None:
    spec = listed("abuse", "傻瓜\n")
    with pytest.raises(WordListError, match="the folder cannot be made: File exists"):
        compile_in_process([spec], Path(spec.path))


def test_a_compiler_that_dies_of_an_exception_is_told(
    listed: Listed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.words.compile.python", lambda _: [sys.executable, "-c", "raise RuntimeError"])
    with pytest.raises(WordListError, match="the compiler ended with"):
        compile_in_process([listed("abuse", "傻瓜\n")], tmp_path / "out")
