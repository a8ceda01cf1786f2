"""What pages load: as npm has it, with its licence, and from nowhere else."""

from __future__ import annotations

import hashlib
import re
from importlib import resources

from gateway.control.console.shell.console_assets import HTMX, TYPES, address, assets


def test_htmx_is_what_was_published() -> None:
    assert hashlib.sha256(assets()["htmx.min.js"].body).hexdigest() == HTMX
    assert b'version:"2.0.11"' in assets()["htmx.min.js"].body
    folder = resources.files("gateway.control.console") / "static"
    assert "Zero-Clause BSD" in (folder / "htmx.LICENSE").read_text(encoding="utf-8")
    assert {one.name for one in folder.iterdir()} == {*TYPES, "htmx.LICENSE"}


def test_nothing_of_ours_names_another_address() -> None:
    for name, asset in assets().items():
        if name == "htmx.min.js":
            continue
        text = asset.body.decode().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|@import|url\(|\beval\(|innerHTML|new Function", text), name


def test_another_version_is_another_address() -> None:
    found = {address(name) for name in TYPES}
    assert len(found) == len(TYPES)
    assert all(re.fullmatch(r"/console/static/[a-z.]+\?v=[0-9a-f]{16}", one) for one in found)


def test_a_class_of_the_desk_is_not_one_of_every_page() -> None:
    """Two styles of one name would each be bent by the other."""
    first = {
        name: set(re.findall(r"^\.([a-z-]+)", assets()[name].body.decode(), re.MULTILINE))
        for name in ("console.css", "desk.css")
    }
    assert first["console.css"] & first["desk.css"] == set()
