"""What hatchling asks when it makes a wheel: pure, or with the machine code that is beside the sources.

``TIDEGATE_WHEEL=compiled`` asks for the second, for the Python that runs hatchling and for this kind of machine, as
``tools/compiled.py build`` has made it. ``make wheel`` does both for every Python here.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

KINDS = ("pure", "compiled")


class MachineCode(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the shared objects, and says for which Python and machine the wheel is then."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Raises ``ValueError`` where there is not exactly what was asked for."""
        kind = os.environ.get("TIDEGATE_WHEEL", "pure")
        if kind not in KINDS:
            raise ValueError(f"TIDEGATE_WHEEL is {' or '.join(KINDS)}, not {kind}")
        if version == "editable" or kind == "pure":
            return
        root = Path(self.root)
        sys.path.insert(0, self.root)
        from gateway.common import compiled

        if compiled.kind() != "compiled":
            raise ValueError(f"no compiled wheel of what is {compiled.described()}: first tools/compiled.py build")
        files = [compiled.sources(), *map(compiled.file_of, (compiled.LIBRARY, *compiled.MODULES))]
        build_data["force_include"] |= {str(file): file.relative_to(root).as_posix() for file in files}
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
