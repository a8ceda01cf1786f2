"""List files in a folder of their own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.words.specs import ListSpec


@pytest.fixture
def listed(tmp_path: Path) -> Callable[..., ListSpec]:
    """``listed(name, text)``: the spec of a new list file."""

    def write(name: str, text: str | bytes) -> ListSpec:
        path = tmp_path / f"{name}.txt"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return ListSpec(name, str(path))

    return write
