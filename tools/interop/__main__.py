"""The command: fetch, run twice, compare. Exits 1 where a test differs that no row of ``differences.toml`` names."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import subprocess
import sys
import tarfile
import tomllib
import venv
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from gateway.common import compiled
from tools.interop.suites import SUITES, Suite

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PLACE = ROOT / "data" / "interop"
WITHIN = 1800  # seconds for one run of one suite

Outcomes = dict[str, str]


def fetched(suite: Suite) -> Path:
    """The suite's folder, with its source unpacked and its environment made, where that has not been done before."""
    place = PLACE / f"{suite.name}-{suite.version}"
    stamp = hashlib.sha256(repr(suite).encode()).hexdigest()
    ready = place / "ready"
    if ready.exists() and ready.read_text() == stamp:
        return place
    place.mkdir(parents=True, exist_ok=True)
    venv.create(place / "venv", with_pip=True, clear=True)
    pip = [str(place / "venv/bin/python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", suite.requirement, *suite.needs], check=True)
    subprocess.run(
        [*pip, "download", "--no-binary", suite.name, "--no-deps", "--dest", str(place), suite.requirement], check=True
    )
    (archive,) = place.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(place / "source", filter="data")
    ready.write_text(stamp)
    return place


@contextlib.contextmanager
def front() -> Iterator[str]:
    """The gate; the port that takes orders."""
    argv = [sys.executable, "-m", "tools.interop.front"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def run(suite: Suite, place: Path, port: str) -> Outcomes:
    """One run; what became of each test. ``port``: where the gate takes orders, empty for none."""
    (source,) = [path for path in (place / "source").iterdir() if path.is_dir()]
    report = place / ("through.xml" if port else "direct.xml")
    report.unlink(missing_ok=True)
    # Under another name the package that is tested is the installed one, and not what lies here unbuilt.
    for package in (source / suite.name, source / "src" / suite.name):
        if package.is_dir():
            package.rename(package.with_name(f"{suite.name}.unbuilt"))
    environment = {
        name: value for name, value in os.environ.items() if "proxy" not in name.lower() and name != "PYTHONPATH"
    }
    environment |= {"PYTHONPATH": str(HERE / "plugin"), "TIDEGATE_FRONT": port}
    argv = [
        str(place / "venv/bin/python"), "-m", "pytest", "-q", "-p", "tidegate_front", "-p", "no:cacheprovider",
        "-o", "addopts=", "-o", "filterwarnings=", "-o", "xfail_strict=false", f"--junitxml={report}",
        *suite.arguments, *suite.files,
    ]  # fmt: skip
    with (place / report.with_suffix(".log").name).open("wb") as log:
        subprocess.run(argv, cwd=source, env=environment, stdout=log, stderr=log, timeout=WITHIN, check=False)
    if not report.exists():
        raise SystemExit(f"{suite.name}: no test was run; {log.name} says why")
    return outcomes(report)


def outcomes(report: Path) -> Outcomes:
    """Of each test passed, failed or skipped."""
    found: Outcomes = {}
    for case in ET.parse(report).iter("testcase"):
        told = {child.tag for child in case}
        how = "failed" if told & {"failure", "error"} else "skipped" if "skipped" in told else "passed"
        found[f"{case.get('classname')}::{case.get('name')}"] = how
    return found


def compare(suite: Suite, direct: Outcomes, through: Outcomes, rows: Sequence[dict[str, str]]) -> bool:
    """Tell the differences; whether all are named."""
    lost = [name for name, how in direct.items() if how == "passed" and through.get(name) != "passed"]
    named = {name for name in lost if any(fnmatchcase(name, row["test"]) for row in rows)}
    for told, all_of in (("direct", direct), ("through", through)):
        passed = sum(how == "passed" for how in all_of.values())
        print(f"{suite.requirement} {told}: {passed} of {len(all_of)} passed")
    for row in rows:
        if not any(fnmatchcase(name, row["test"]) for name in lost):
            print(f"  not needed any more: {row['test']}")
    for name in lost:
        print(f"  {'may differ' if name in named else 'DIFFERS'}: {name}")
    return len(named) == len(lost)


def main() -> int:
    """Entry point of the command."""
    parser = argparse.ArgumentParser(prog="python -m tools.interop", description=__doc__)
    parser.add_argument("suites", nargs="*", choices=[*SUITES, []], metavar="SUITE", help=", ".join(SUITES))
    chosen = parser.parse_args().suites or list(SUITES)
    if compiled.built():
        parser.error("the gate's machine code lets nobody stand in for its parts: `make pure` first")
    rows = tomllib.loads((HERE / "differences.toml").read_text(encoding="utf-8"))
    well = True
    for name in chosen:
        suite = SUITES[name]
        place = fetched(suite)
        direct = run(suite, place, "")
        with front() as port:
            through = run(suite, place, port)
        well &= compare(suite, direct, through, rows.get(name, []))
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
