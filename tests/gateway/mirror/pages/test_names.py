"""Rooms as folders and addresses: each its own, none of them anywhere else."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from gateway.mirror.pages.names import SCRIPT, folder_name, is_folder_name, link_value, room_path

rooms = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=256)


@given(rooms)
def test_a_name_is_one_safe_segment(room: str) -> None:
    name = folder_name(room)
    assert is_folder_name(name.encode())
    assert name not in (".", "..", SCRIPT)
    assert not name.startswith(".")
    assert len(name) <= 200
    assert (Path("/m") / name).parent == Path("/m")


@given(rooms, rooms)
def test_two_rooms_are_two_folders(one: str, other: str) -> None:
    assert (folder_name(one) == folder_name(other)) == (one == other)


@given(st.sampled_from(["a=2E", "=h00", "=2E", "a.b", ".", "..", "a/b", SCRIPT, "é", "é", "%41", "A", "a" * 129]))
def test_awkward_names(room: str) -> None:
    name = folder_name(room)
    if name != room:
        assert folder_name(name) != name, "a name that was escaped is not its own room's"


def test_plain_rooms_stay_as_they_are() -> None:
    assert folder_name("BV1x4.1-a_b~c") == "BV1x4.1-a_b~c"
    assert folder_name("直播") == "=E7=9B=B4=E6=92=AD"
    assert folder_name("字" * 100).startswith("=h")
    assert room_path("/mirror/", "r1") == "/mirror/r1/"
    assert link_value("/mirror/", "直") == b'</mirror/=E7=9B=B4/>; rel="alternate"; type="text/html"'
