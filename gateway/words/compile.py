"""Compiles list files to artifacts. In a process of its own, because a million words take seconds and a gigabyte::

    echo '{"out": "DIR", "lists": [{"name": "spam", "path": "spam.txt"}]}' | python -m gateway.words.compile

answers with the manifest as JSON on standard output and exit code 0, or with the faults and 1, or with 2 for a request
that it does not understand.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from filters.lists import matcher
from filters.lists.artifact import Artifact, ArtifactError
from filters.lists.listsource import ListErrors
from filters.lists.wordlist import compile_list, list_digest, notices_of
from filters.text.tables import FoldTables
from gateway.common.posix import cause_of, python
from gateway.words.errors import Fault, WordListError
from gateway.words.files import SUFFIX, folding_tables, noted, read_list, told, write_whole
from gateway.words.manifest import Built, Manifest
from gateway.words.shrinking import before, changed, insist
from gateway.words.specs import ListSpec

NOTED = 50_000  # entries of an unchanged list whose words are folded again to tell of them: some 200 ms

_FOUND_WRONG = 1
_USAGE = 2


def compile_lists(specs: Sequence[ListSpec], out_dir: Path) -> Manifest:
    """Compile every list into ``out_dir``. Raises ``WordListError`` with the faults of all lists; what was compiled
    until then stays, for it is named by its content and harms nobody."""
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"the folder cannot be made: {error.strerror or type(error).__name__}"
        names = ", ".join(spec.name for spec in specs)
        raise WordListError([Fault(names, str(out_dir), 0, what, "check the data folder's owner")]) from None
    tables = folding_tables()
    built: list[Built] = []
    faults: list[Fault] = []
    more = 0
    for spec in specs:
        try:
            built.append(_compile(spec, out_dir, tables))
        except WordListError as error:
            faults += error.faults
            more += error.more
    if faults:
        raise WordListError(faults, more)
    return Manifest(tables.digest, tuple(built))


def compile_in_process(specs: Sequence[ListSpec], out_dir: Path, seconds: float = 600.0) -> Manifest:
    """The same in another process; blocks, so call it in a thread where a loop runs. Raises ``WordListError``,
    also where the process dies or takes longer than ``seconds``."""
    request = json.dumps({"out": str(out_dir), "lists": [spec._asdict() for spec in specs]})
    whole = ", ".join(spec.name for spec in specs)
    try:
        done = subprocess.run(
            python("gateway.words.compile"),
            input=request.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        fault = Fault(
            whole, str(out_dir), 0, f"not compiled within {seconds:g} s", "split the list, or allow more time"
        )
        raise WordListError([fault]) from None
    if done.returncode == 0:
        return Manifest.from_dict(json.loads(done.stdout))
    if done.returncode == _FOUND_WRONG and done.stdout:  # an exception that nobody caught ends with 1 as well
        raise WordListError.from_dict(json.loads(done.stdout))
    what = f"the compiler ended with {cause_of(done.returncode)}"
    raise WordListError([Fault(whole, str(out_dir), 0, what, "is there enough memory and disk space?")])


def _compile(spec: ListSpec, out_dir: Path, tables: FoldTables) -> Built:
    try:
        engine = matcher.chosen(spec.engine)
    except ValueError as error:
        remedy = "write server.engine = “auto”, or install the package"
        raise WordListError([Fault(spec.name, spec.path, 0, f"the engine {error}", remedy)]) from None
    parsed = read_list(spec)
    was = before(spec)
    insist(spec, parsed.in_file, was)
    digest = list_digest(parsed, tables)
    target = out_dir / f"{spec.name}-{digest[:12]}{SUFFIX}"
    if _is_current(target, digest, engine):
        few = len(parsed.entries) <= NOTED
        notices = noted(spec, parsed, notices_of(parsed, tables) if few else parsed.told())
        size, since = target.stat().st_size, changed(spec.name, target, was)
        return Built(
            spec.name, target.name, parsed.kind, digest, len(parsed.entries), size, True, notices, parsed.in_file, since
        )
    try:
        compiled = compile_list(parsed, tables, digest=digest, engine=engine)
    except ListErrors as errors:
        raise told(spec, errors) from None
    try:
        write_whole(target, compiled.data)
    except OSError as error:
        what = f"the artifact cannot be written: {error.strerror or type(error).__name__}"
        raise WordListError(
            [Fault(spec.name, str(out_dir), 0, what, "check the data folder's space and owner")]
        ) from None
    notices, size = noted(spec, parsed, compiled.notices), len(compiled.data)
    since = changed(spec.name, target, was)
    return Built(
        spec.name, target.name, parsed.kind, digest, compiled.entries, size, False, notices, parsed.in_file, since
    )


def _is_current(path: Path, digest: str, engine: str) -> bool:
    """Is there a sound artifact of this digest for this engine? A damaged one is compiled anew."""
    try:
        header = Artifact(path.read_bytes()).header
    except (OSError, ArtifactError):
        return False
    return bool(header["digest"] == digest and header.get("engine", engine) == engine)


def main() -> int:
    """Read the request from standard input, answer on standard output; returns the exit code."""
    gc.disable()  # millions of tuples, none of them in a circle: looking for one takes a tenth of the time
    try:
        request = json.load(sys.stdin)
        specs = [ListSpec(**each) for each in request["lists"]]
        out_dir = Path(request["out"])
    except (ValueError, TypeError, KeyError):
        sys.stderr.write(f"{__doc__}\n")
        return _USAGE
    try:
        answer, code = compile_lists(specs, out_dir).as_dict(), 0
    except WordListError as error:
        answer, code = error.as_dict(), _FOUND_WRONG
    json.dump(answer, sys.stdout, ensure_ascii=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
