"""``make reference``: everything that can be written from the code alone, and that nobody should write by hand.

The keys of docs/configuration.md, the tables of docs/reasons.md, docs/metrics.md, docs/admin-api.md and
docs/roles.md, the commands of docs/command-line.md, the boards in deploy/grafana, the rules of deploy/kubernetes,
docs/platforms.md, and what ``config check`` says of each golden configuration and of each preset.
A test fails where one of them is stale; a person reads the
difference before committing it: what changed there is what users see.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gateway import config  # noqa: E402  # the path comes first
from gateway.common import metrics  # noqa: E402
from gateway.common.metric_tables import replicator_metrics  # noqa: E402
from gateway.config.reference import BEGIN, reference  # noqa: E402
from gateway.control.access.roles import ANY_SCOPE, Role, told  # noqa: E402
from gateway.control.calls.endpoint import Endpoint  # noqa: E402
from gateway.control.features import ENDPOINTS, SCOPES  # noqa: E402
from gateway.judging import reason_codes  # noqa: E402
from gateway.presets import preset as presets  # noqa: E402
from tools import command_line, platforms_page  # noqa: E402
from tools.watch import boards, cluster  # noqa: E402

LINE = "----\n"
"""In a golden configuration: the file above, every problem of it below."""

GOLDEN = ROOT / "tests" / "golden" / "config"
PRESETS = ROOT / "tests" / "golden" / "presets"
METRICS = {
    "Of the workers, added up": metrics.OF_WORKERS,
    "Of the projector": metrics.OF_PROJECTOR,
    "Of the replicator": replicator_metrics.OF_REPLICATOR,
    "Of control and the processes of the node": metrics.OF_CONTROL,
}


class Generated(NamedTuple):
    """A file, and what stands in it once its generated parts are written into the text it has now."""

    path: Path
    written: Callable[[str], str]

    def stale(self) -> bool:
        """Whether it says something else than the code."""
        text = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
        return self.written(text) != text

    def write(self) -> None:
        """Bring it up to date."""
        text = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
        self.path.parent.mkdir(exist_ok=True)
        self.path.write_text(self.written(text), encoding="utf-8")


def generated() -> Iterator[Generated]:
    """All of them."""
    docs = ROOT / "docs"
    yield Generated(docs / "configuration.md", _keys)
    yield Generated(docs / "reasons.md", _reasons)
    yield Generated(docs / "metrics.md", _metrics)
    yield Generated(docs / "admin-api.md", _endpoints)
    yield Generated(docs / "roles.md", _roles)
    yield Generated(docs / "command-line.md", _commands)
    yield Generated(docs / "platforms.md", partial(_platforms, "en"))
    yield Generated(docs / "platforms.zh-CN.md", partial(_platforms, "zh"))
    yield Generated(ROOT / "examples" / "tidegate.schema.json", _schema)
    for path, text in (*boards.written(), *cluster.written()):
        yield Generated(path, partial(_as_it_is, text))
    for path in sorted(GOLDEN.glob("*.txt")):
        yield Generated(path, _problems)
    for name in presets.names():
        yield Generated(PRESETS / f"{name}.txt", lambda _, name=name: platforms_page.golden(name))  # type: ignore[misc]


def _as_it_is(written: str, _text: str) -> str:
    return written


def _keys(text: str) -> str:
    prose, begin, _ = text.partition(BEGIN)
    if not begin:
        sys.exit(f"docs/configuration.md has lost its mark {BEGIN!r}")
    return prose + reference()


def _reasons(text: str) -> str:
    for chapter in reason_codes.chapters():
        text = _chapter(text, chapter.title, reason_codes.page(chapter))
    return text


def _metrics(text: str) -> str:
    for title, table in METRICS.items():
        rows = (
            (f"`{one.name}`", one.kind, ", ".join(f"`{label}`" for label in one.labels), one.meaning) for one in table
        )
        text = _chapter(text, title, _table(("name", "kind", "labels", "meaning"), rows))
    return text


def _endpoints(text: str) -> str:
    rows = (
        (one.method, f"`{one.path}`", f"{one.summary}; needs no token" if one.open else one.summary)
        for one in ENDPOINTS
    )
    return _chapter(text, "Endpoints", _table(("method", "path", "what it does"), rows))


def _roles(text: str) -> str:
    """Who may call what: a column for each role and one for the scope that a machine's token needs besides."""
    rows = (
        (
            f"{one.method} `{one.path}`",
            *("✓" if one.open or role in one.access.roles else "" for role in Role),
            _scope(one),
        )
        for one in ENDPOINTS
    )
    text = _chapter(text, "Endpoints by role", _table(("endpoint", *(role.value for role in Role), "scope"), rows))
    of = {name: [one for one in ENDPOINTS if one.access.scope == name] for name in SCOPES}
    named = (
        (f"`{name}`", ", ".join(f"{one.method} `{one.path}`" for one in endpoints), told(SCOPES[name]))
        for name, endpoints in of.items()
    )
    return _chapter(text, "Scopes", _table(("scope", "endpoints", "given by"), named))


def _scope(one: Endpoint) -> str:
    if one.open:
        return "no token"
    scope = one.access.scope
    return "any" if scope == ANY_SCOPE else f"`{scope}`" if scope else "people alone"


def _commands(text: str) -> str:
    prose, begin, _ = text.partition(command_line.BEGIN)
    if not begin:
        sys.exit(f"docs/command-line.md has lost its mark {command_line.BEGIN!r}")
    return prose + command_line.page()


def _platforms(language: str, text: str) -> str:
    prose, begin, _ = text.partition(platforms_page.BEGIN)
    if not begin:
        sys.exit(f"docs/platforms.md, or its Chinese, has lost its mark {platforms_page.BEGIN!r}")
    return prose + platforms_page.page(language)


def _schema(_text: str) -> str:
    return json.dumps(config.schema(), ensure_ascii=False, indent=1) + "\n"


def _problems(text: str) -> str:
    document, line, _ = text.partition(LINE)
    return f"{document}{line}{problems(document)}"


def problems(document: str) -> str:
    """What ``config check`` says of ``document``, one problem a line, in a folder that has the files it names."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "lists").mkdir()
        for name, content in {"lists/spam.txt": "spam\n", "client.pem": "", "jwks.json": "{}"}.items():
            (root / name).write_text(content, encoding="utf-8")
        file = root / "tidegate.toml"
        file.write_text(document, encoding="utf-8")
        _, found = config.check(file, environ={})
        return "".join(f"{problem}\n" for problem in found).replace(f"{root}/", "")


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(columns)
    lines = [head, ["---"] * len(head), *rows]
    marks = [f"| {' | '.join(line)} |" for line in lines]
    marks[1] = "|" + "---|" * len(head)
    return "".join(f"{line}\n" for line in marks)


def _chapter(text: str, title: str, table: str) -> str:
    """``text`` with the first table under ``## title`` replaced; a chapter that is not there yet comes at the end."""
    heading = f"## {title}\n"
    if heading not in text:
        return f"{text.rstrip()}\n\n{heading}\n{table}"
    before, _, after = text.partition(heading)
    return before + heading + re.sub(r"(?:^\|[^\n]*\n)+", lambda _: table, after, count=1, flags=re.MULTILINE)


def main() -> None:
    for one in generated():
        if one.stale():
            one.write()
            print(one.path.relative_to(ROOT))


if __name__ == "__main__":
    main()
