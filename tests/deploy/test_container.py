"""deploy/container/build.sh: which wheel of several its own call of pip installs."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "deploy" / "container" / "build.sh"
HERE = f"cp{sys.version_info.major}{sys.version_info.minor}"
OWN = f"{HERE}-{HERE}-manylinux_2_17_{os.uname().machine}"
OTHER = f"cp399-cp399-manylinux_2_17_{os.uname().machine}"
PURE = "py3-none-any"


def wheel(folder: Path, version: str, tag: str) -> None:
    """An empty wheel of that name."""
    info = f"tidegate-{version}.dist-info"
    with zipfile.ZipFile(folder / f"tidegate-{version}-{tag}.whl", "w") as archive:
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tidegate\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        archive.writestr(f"{info}/RECORD", "")


@pytest.mark.parametrize(
    ("wheels", "wanted"),
    [
        ([("1.0", PURE)], ("1.0", PURE)),
        ([("1.0", PURE), ("1.0", OWN), ("1.0", OTHER)], ("1.0", OWN)),
        ([("1.0", PURE), ("1.1.dev2+g0a1b2c3", PURE), ("1.0", OTHER)], ("1.1.dev2+g0a1b2c3", PURE)),
    ],
)
def test_of_all_that_dist_holds_the_newest_that_fits_is_installed(
    tmp_path: Path, wheels: list[tuple[str, str]], wanted: tuple[str, str]
) -> None:
    for version, tag in wheels:
        wheel(tmp_path, version, tag)
    (line,) = re.findall(r"^/opt/tidegate/bin/pip (install .*tidegate.*)$", SCRIPT.read_text(encoding="utf-8"), re.M)
    # The shell opens patterns and names, so the script's own line decides what pip is given.
    command = f"{shlex.quote(sys.executable)} -m pip {line} --ignore-installed --dry-run --report -"
    environment = {
        **os.environ,
        "PIP_FIND_LINKS": str(tmp_path),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "folder": str(tmp_path),
    }
    done = subprocess.run(
        ["sh", "-c", command], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    (chosen,) = json.loads(done.stdout)["install"]
    assert chosen["download_info"]["url"].endswith(f"tidegate-{wanted[0]}-{wanted[1]}.whl".replace("+", "%2B")), chosen
