"""Where the platforms live: their parsers from Debian, PyPI and npm, by hash, in a folder that is not committed."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

PLATFORMS: Final = Path(__file__).parent / "platforms"
JAVA: Final = Path("/usr/share/java")
NAMES: Final = ("node", "rack", "php", "django", "starlette", "tomcat")


def installed(place: Path) -> None:
    """All that platforms need besides Debian's packages, made where it is missing or was made of something else."""
    stamp = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(PLATFORMS.iterdir()) if path.is_file()))
    ready = place / "ready"
    if ready.exists() and ready.read_text() == stamp.hexdigest():
        return
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    venv.create(place / "venv", with_pip=True)
    pip = [str(place / "venv/bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", str(PLATFORMS / "requirements.lock")], check=True)
    for name in ("package.json", "package-lock.json", "node.js"):
        shutil.copy(PLATFORMS / name, place)
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=place, check=True)
    subprocess.run(["javac", "-cp", _classpath(), "-d", str(place), str(PLATFORMS / "Servlet.java")], check=True)
    ready.write_text(stamp.hexdigest())


def _classpath() -> str:
    jars = [*JAVA.glob("tomcat10-*.jar"), *JAVA.glob("jackson-*.jar")]
    return ":".join(str(jar) for jar in jars if not jar.stem[-1].isdigit() and "i18n" not in jar.name)


def program(name: str, place: Path, port: int) -> Sequence[str]:
    """The command that runs a platform on a port."""
    python = str(place / "venv/bin/python")
    served: dict[str, Sequence[str]] = {
        "node": ("node", str(place / "node.js"), str(port)),
        "rack": ("ruby", str(PLATFORMS / "rack.rb"), str(port)),
        "php": ("php", "-q", "-S", f"127.0.0.1:{port}", str(PLATFORMS / "php.php")),
        "django": (python, str(PLATFORMS / "django_app.py"), str(port)),
        "starlette": (python, str(PLATFORMS / "starlette_app.py"), str(port)),
        "tomcat": ("java", "-cp", f"{_classpath()}:{place}", "Servlet", str(port), str(place / "tomcat")),
    }
    return served[name]
