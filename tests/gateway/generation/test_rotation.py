"""When a JWKS file is worth a reload."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.generation.rotation import AGAIN, Rotation, digest


class Clock:
    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rotation(clock: Clock) -> Rotation:
    return Rotation(clock)


@pytest.fixture
def file(tmp_path: Path, rotation: Rotation) -> Path:
    """In force, and looked at."""
    path = tmp_path / "jwks.json"
    path.write_bytes(b"one")
    taken(rotation, path)
    assert not rotation.due(path)
    return path


def taken(rotation: Rotation, path: Path) -> None:
    rotation.in_force = digest(path)


def renamed_over(path: Path, data: bytes) -> None:
    aside = path.with_name("aside")
    aside.write_bytes(data)
    aside.replace(path)


def test_each_of_many_renames_is_seen_once_it_rests(rotation: Rotation, file: Path) -> None:
    for data in (b"two", b"three", b"one"):
        renamed_over(file, data)
        assert [rotation.due(file) for _ in range(3)] == [False, True, False]
        taken(rotation, file)
        assert not rotation.due(file)


def test_the_same_bytes_are_no_change(rotation: Rotation, file: Path) -> None:
    renamed_over(file, b"one")
    assert [rotation.due(file) for _ in range(3)] == [False, False, False]


def test_a_file_that_is_being_written_is_left_alone(rotation: Rotation, file: Path) -> None:
    for data in (b"t", b"tw", b"two"):
        file.write_bytes(data)
        assert not rotation.due(file)
    assert rotation.due(file)


def test_a_file_that_is_gone_is_waited_for(rotation: Rotation, file: Path) -> None:
    file.unlink()
    assert [rotation.due(file) for _ in range(3)] == [False, False, False]
    file.write_bytes(b"one")
    assert [rotation.due(file) for _ in range(3)] == [False, False, False]
    file.unlink()
    assert not rotation.due(file)
    file.write_bytes(b"two")
    assert [rotation.due(file) for _ in range(2)] == [False, True]


def test_a_swapped_link_above_it_is_a_change(rotation: Rotation, tmp_path: Path) -> None:
    for name in ("..1", "..2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "jwks.json").write_text(name)
    (tmp_path / "..data").symlink_to("..1")
    file = tmp_path / "jwks.json"
    file.symlink_to("..data/jwks.json")
    taken(rotation, file)
    assert [rotation.due(file) for _ in range(2)] == [False, False]
    (tmp_path / "..next").symlink_to("..2")
    (tmp_path / "..next").replace(tmp_path / "..data")
    assert [rotation.due(file) for _ in range(2)] == [False, True]


def test_what_was_refused_is_tried_again_later_or_once_it_changes(rotation: Rotation, clock: Clock, file: Path) -> None:
    """A key that was withdrawn stays in force until its reload is taken: a fault of another file must not end that."""
    renamed_over(file, b"two")
    assert [rotation.due(file) for _ in range(4)] == [False, True, False, False]
    clock.now += AGAIN
    assert [rotation.due(file) for _ in range(2)] == [True, False]
    renamed_over(file, b"three")
    assert [rotation.due(file) for _ in range(3)] == [False, True, False]


def test_a_file_that_is_named_anew_is_compared_with_what_was_taken_of_it(
    rotation: Rotation, file: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.json"
    other.write_bytes(b"other")
    taken(rotation, other)
    assert [rotation.due(other) for _ in range(3)] == [False, False, False]
    assert digest(None) is None
