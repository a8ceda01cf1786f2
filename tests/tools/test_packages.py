"""What is given to others: its version, what is in it and what is not, what it comes with."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from gateway.common import compiled
from tools.packages import contents, making, pythons, sbom, trying
from tools.packages.version import FIRST, ROOT, from_description, version

GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false")


@pytest.fixture(autouse=True)
def _nobody_says_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TIDEGATE_VERSION", "TIDEGATE_WHEEL", "GIT_DIR", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("described", "told"),
    [
        ("v1.2.3-0-g0a1b2c3", "1.2.3"),
        ("v1.2.3-5-g0a1b2c3", "1.2.4.dev5+g0a1b2c3"),
        ("v1.2.3-0-g0a1b2c3-dirty", "1.2.4.dev0+g0a1b2c3.changed"),
        ("v1.3.0rc1-2-g0a1b2c3", "1.3.0rc2.dev2+g0a1b2c3"),
        ("v2.9-1-g0a1b2c3", "2.10.dev1+g0a1b2c3"),
        ("0a1b2c3", f"{FIRST}.dev7+g0a1b2c3"),
        ("0a1b2c3-dirty", f"{FIRST}.dev7+g0a1b2c3.changed"),
        ("v1.x-5-g0a1b2c3", ""),
        ("$Format:%(describe)$", ""),
    ],
)
def test_a_description_becomes_a_version(described: str, told: str) -> None:
    assert from_description(described, commits=7) == told


def test_versions_sort_as_they_were_made() -> None:
    from packaging.version import Version

    made = ("0a1b2c3", "v0.1.0-0-g0a1b2c3", "v0.1.0-3-g0a1b2c3", "v0.1.1rc1-0-g0a1b2c3", "v0.1.1-0-g0a1b2c3")
    told = [Version(from_description(one)) for one in made]
    assert told == sorted(told)


def git(folder: Path, *words: str) -> None:
    subprocess.run([*GIT, *words], check=True, cwd=folder, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    (folder / "tools/packages").mkdir(parents=True)
    for name in (".gitattributes", "tools/packages/archived.txt"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "one")
    return folder


def unpacked(checkout: Path, name: str) -> Path:
    archive = checkout.parent / f"{name}.tar"
    git(checkout, "archive", "--output", str(archive), "HEAD")
    with tarfile.open(archive) as packed:
        packed.extractall(checkout.parent / name, filter="data")
    return checkout.parent / name


def test_a_checkout_is_asked_and_so_is_what_git_made_of_it(checkout: Path) -> None:
    assert version(checkout).startswith(f"{FIRST}.dev1+g")
    assert version(unpacked(checkout, "untagged")).startswith(f"{FIRST}.dev0+g")
    git(checkout, "tag", "v1.2.3")
    assert version(checkout) == version(unpacked(checkout, "tagged")) == "1.2.3"
    git(checkout, "commit", "--quiet", "--allow-empty", "--message", "two")
    assert version(checkout) == version(unpacked(checkout, "later"))
    assert version(checkout).startswith("1.2.4.dev1+g")
    (checkout / ".gitattributes").write_text("")
    assert version(checkout).endswith(".changed")


def test_without_git_a_source_archive_knows_it_and_a_bare_folder_does_not(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = checkout / "build" / "inner"  # of somebody else's checkout: whose tags are not ours
    inner.mkdir(parents=True)
    assert version(inner) == f"{FIRST}.dev0"
    (inner / "PKG-INFO").write_text("Metadata-Version: 2.4\nName: tidegate\nVersion: 3.4.5\n\nVersion: 9\n")
    assert version(inner) == "3.4.5"
    monkeypatch.setenv("PATH", "/nowhere")
    assert version(checkout) == f"{FIRST}.dev0"
    monkeypatch.setenv("TIDEGATE_VERSION", "7.0+debian.1")
    assert version(checkout) == "7.0+debian.1"
    monkeypatch.setenv("TIDEGATE_VERSION", "latest; rm")
    with pytest.raises(ValueError, match="TIDEGATE_VERSION"):
        version(checkout)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return making.built(Path(sys.executable), ROOT, "wheel", tmp_path_factory.mktemp("made"), TIDEGATE_VERSION="1.2.3")


def test_a_wheel_holds_the_program_and_says_what_it_is(wheel: Path) -> None:
    contents.check(wheel)
    assert wheel.name == "tidegate-1.2.3-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as packed:
        about = packed.read("tidegate-1.2.3.dist-info/METADATA").decode()
        commands = packed.read("tidegate-1.2.3.dist-info/entry_points.txt").decode()
    assert "\nClassifier: Typing :: Typed\n" in about
    assert "\nProvides-Extra: load\n" in about
    assert "tidegate = gateway.__main__:main" in commands
    assert "tidegate-1.2.3.data/data/share/tidegate/examples/tidegate.toml" in contents.names(wheel)
    assert "tidegate-1.2.3.dist-info/licenses/LICENSE" in contents.names(wheel)


def test_a_source_archive_is_the_repository(tmp_path: Path) -> None:
    archive = making.built(Path(sys.executable), ROOT, "sdist", tmp_path, TIDEGATE_VERSION="1.2.3")
    contents.check_archive(archive)


@pytest.mark.parametrize(
    ("name", "held", "told"),
    [
        ("tests/test_a.py", b"", "does not own tests/test_a.py"),
        ("gateway/__pycache__/a.cpython-311.pyc", b"", "must not hold gateway/__pycache__"),
        ("gateway/tests/test_a.py", b"", "must not hold gateway/tests"),
        ("gateway/.mypy_cache/a.json", b"{}", "must not hold gateway/.mypy_cache"),
        ("tidegate__mypyc.cpython-311-x86_64-linux-gnu.so", b"\0%b/gateway/a.c\0" % str(ROOT).encode(), "tells paths"),
    ],
)
def test_what_does_not_belong_is_named(wheel: Path, tmp_path: Path, name: str, held: bytes, told: str) -> None:
    copy = tmp_path / wheel.name
    copy.write_bytes(wheel.read_bytes())
    with zipfile.ZipFile(copy, "a") as packed:
        packed.writestr(name, held)
    with pytest.raises(contents.WrongContents, match=told):
        contents.check(copy)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    empty = tmp_path / "tidegate-1-py3-none-any.whl"
    with zipfile.ZipFile(empty, "w"):
        pass
    with pytest.raises(contents.WrongContents, match=r"lacks .*gateway/py\.typed"):
        contents.check(empty)


def test_there_is_no_compiled_wheel_of_what_is_not_compiled(tmp_path: Path) -> None:
    if compiled.kind() == "compiled":
        pytest.skip("compiled: there is one")
    with pytest.raises(subprocess.CalledProcessError):
        making.built(Path(sys.executable), ROOT, "wheel", tmp_path, TIDEGATE_WHEEL="compiled")
    assert not list(tmp_path.rglob("*.whl"))


def test_pythons_are_found_or_not() -> None:
    assert pythons.wanted()[0] == "3.11"
    series = f"{sys.version_info[0]}.{sys.version_info[1]}"
    here = pythons.find(series)
    assert here is not None
    assert here.release.startswith(f"{series}.")
    assert pythons.find("3.1") is None


def test_the_wheels_of_the_last_version_are_tried(tmp_path: Path) -> None:
    import os

    for age, name in enumerate(("2.0-py3-none-any", "2.0-cp311-cp311-linux_x86_64", "1.9-py3-none-any")):
        (tmp_path / f"tidegate-{name}.whl").touch()
        os.utime(tmp_path / f"tidegate-{name}.whl", (1e9 - age, 1e9 - age))
    assert {one.name for one in trying.newest(tmp_path)} == {
        "tidegate-2.0-py3-none-any.whl", "tidegate-2.0-cp311-cp311-linux_x86_64.whl"
    }  # fmt: skip


def component(name: str, **more: Any) -> dict[str, Any]:
    return {"bom-ref": f"{name}==1", "name": name, "version": "1", **more}


def test_the_list_is_of_what_is_pinned_with_the_locks_hashes() -> None:
    hashes = [{"alg": "SHA-256", "content": "00"}]
    reference = {"type": "distribution", "url": "https://pypi.org/simple/a-b/", "hashes": hashes}
    installed = {
        "metadata": {"component": {"name": "tidegate"}},
        "components": [component("A.b", licenses=[1]), component("pip")],
        "dependencies": [{"ref": "A.b==1"}, {"ref": "pip==1"}],
    }
    locked = {"components": [component("a-b", externalReferences=[reference]), component("other-machine")]}
    told = sbom.joined(installed, locked, "1.2.3")
    assert told["metadata"]["component"] == {"name": "tidegate", "version": "1.2.3"}
    assert [one["name"] for one in told["components"]] == ["A.b"]
    assert told["components"][0]["externalReferences"][0]["hashes"] == hashes
    assert told["dependencies"] == [{"ref": "A.b==1"}]
    with pytest.raises(KeyError):  # nothing is installed that the lock does not pin
        sbom.joined({**installed, "components": [component("stranger")]}, locked, "1.2.3")


def test_locks_pin_the_same_versions() -> None:
    def pins(lock: str) -> dict[str, str]:
        lines = (ROOT / "requirements" / f"{lock}.lock").read_text(encoding="utf-8").splitlines()
        return dict(line.split(" ")[0].split("==") for line in lines if "==" in line and not line.startswith(" "))

    run = pins("run")
    for lock in ("load", "packages", "dev"):
        assert run.items() <= pins(lock).items(), lock
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" not in told["project"]
