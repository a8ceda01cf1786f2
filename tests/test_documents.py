"""The map is true: what it names exists, and what exists is on it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAP = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")


def places(text: str) -> set[str]:
    """Paths in backticks."""
    return {
        found.rstrip("/")
        for found in re.findall(r"`((?:filters|gateway|tests|benchmarks|loadtest|rig)/[\w/.]*)`", text)
    }


def test_the_map_names_no_place_that_does_not_exist() -> None:
    missing = {place for place in places(MAP) if not (ROOT / place).exists()}
    assert not missing


def test_every_folder_of_the_gateway_is_on_the_map() -> None:
    here = {f"gateway/{path.name}" for path in (ROOT / "gateway").iterdir() if (path / "__init__.py").exists()}
    assert here <= places(MAP)


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"])
def test_links_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    targets = set(re.findall(r"\]\(([^)#:]+)\)", text))
    missing = {target for target in targets if not (ROOT / target).exists()}
    assert not missing


@pytest.mark.parametrize("name", ["CONTRIBUTING.md"])
def test_files_that_a_guide_names_exist(name: str) -> None:
    named = {place for place in places((ROOT / name).read_text(encoding="utf-8")) if "NAME" not in place}
    assert not {place for place in named if not (ROOT / place).exists()}
