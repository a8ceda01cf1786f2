"""``make manifests-check``: the manifests of Kubernetes and the compose file, held to schemas that others wrote.

Schemas and their readers come from PyPI into ``data/manifests``. Building needs ``kubectl`` 1.27 or newer, whose
kustomize knows what is used here; where there is none, the files of the base are held to the schemas one by one.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "data" / "manifests"
KUBERNETES = ROOT / "deploy" / "kubernetes"
OVERLAYS = ("production", "several")
COMPOSE = tuple(ROOT / "deploy" / "compose" / f"{name}.yaml" for name in ("compose", "postgresql", "several"))
READER = "kubernetes-validate==1.37.0"
COMPOSE_READER = "compose-spec==0.2.1"
COMPOSED = "import compose_spec, sys; compose_spec.PyCompose.from_yaml(open(sys.argv[1]).read()).to_spec()"
VERSIONS = ("1.32", "1.37")  # of Kubernetes: the oldest that labels pods with their ordinal by itself, and the newest


def built(overlay: str) -> Path:
    """An overlay as kustomize makes it, or the base's files in a row."""
    target = PLACE / f"{overlay}.yaml"
    if shutil.which("kubectl") is None:
        print("no kubectl: the base's files as they are, not built")
        files = [path for path in sorted((KUBERNETES / "base").glob("*.yaml")) if path.stem != "kustomization"]
        target.write_text("---\n".join(path.read_text(encoding="utf-8") for path in files), encoding="utf-8")
        return target
    made = subprocess.run(["kubectl", "kustomize", KUBERNETES / "overlays" / overlay], check=True, capture_output=True)
    target.write_bytes(made.stdout)
    return target


def environment(package: str) -> Path:
    """One that has this package."""
    place = PLACE / package
    if not place.exists():
        venv.create(place, with_pip=True)
        subprocess.run([place / "bin" / "pip", "install", "--quiet", package], check=True)
    return place


def of_kubernetes() -> bool:
    place = environment(READER)
    well = True
    for overlay in OVERLAYS:
        target = built(overlay)
        kinds = sorted(one["kind"] for one in yaml.safe_load_all(target.read_text(encoding="utf-8")))
        for version in VERSIONS:
            argv = [place / "bin" / "kubernetes-validate", "-k", version, "--strict", "--quiet", "--no-warn", target]
            told = subprocess.run(argv, check=False).returncode
            print(f"Kubernetes {version}, {overlay}: {'well' if told == 0 else 'refused'}: {', '.join(kinds)}")
            well = well and told == 0
    return well


def of_compose() -> bool:
    """By the specification's own types; a key that it does not have, or a value of another kind, is refused."""
    place = environment(COMPOSE_READER)
    well = True
    for file in COMPOSE:
        told = subprocess.run([place / "bin" / "python", "-c", COMPOSED, file], check=False, capture_output=True)
        print(f"{file.name}: {'well' if told.returncode == 0 else told.stderr.decode()[-400:]}")
        well = well and told.returncode == 0
    return well


if __name__ == "__main__":
    PLACE.mkdir(parents=True, exist_ok=True)
    sys.exit(0 if of_kubernetes() & of_compose() else 1)
