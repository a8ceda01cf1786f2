"""The map is true: what it names exists, and what exists is on it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAP = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
LAWS = (ROOT / "docs" / "laws.md").read_text(encoding="utf-8")
INDEX = "docs/decisions/README.md"
DECISIONS = sorted(
    f"docs/decisions/{path.name}" for path in (ROOT / INDEX).parent.glob("*.md") if path.name != "README.md"
)
PAGES = [
    *(path.name for path in sorted(ROOT.glob("*.md"))),
    *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md"))),
]
WHERE_LAWS_ARE_CITED = ("filters", "gateway", "tests", "loadtest", "benchmarks", "tools", "rig")
SOURCES = {".py", ".lua", ".toml", ".html", ".md", ".c"}


def places(text: str) -> set[str]:
    """Paths in backticks."""
    return {
        found.rstrip("/")
        for found in re.findall(r"`((?:filters|gateway|tests|benchmarks|loadtest|rig)/[\w/.]*)`", text)
    }


def test_the_map_names_no_place_that_does_not_exist() -> None:
    missing = {place for place in places(MAP) if not (ROOT / place).exists()}
    assert not missing


def test_every_folder_of_the_gateway_is_on_the_map() -> None:
    here = {f"gateway/{path.name}" for path in (ROOT / "gateway").iterdir() if (path / "__init__.py").exists()}
    assert here <= places(MAP)


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    targets = set(re.findall(r"\]\(([^)#:]+)\)", text))
    missing = {target for target in targets if not (ROOT / name).parent.joinpath(target).exists()}
    assert not missing


@pytest.mark.parametrize("name", PAGES)
def test_every_row_of_a_table_is_in_one(name: str) -> None:
    """A row behind an empty line is shown as its own source."""
    lines = ["", *(ROOT / name).read_text(encoding="utf-8").splitlines(), ""]
    starts = [
        number for number, line in enumerate(lines) if line.startswith("|") and not lines[number - 1].startswith("|")
    ]
    lost = [lines[number] for number in starts if not re.fullmatch(r"\|(:?-+:?\|| :?-+:? \|)+", lines[number + 1])]
    assert lost == []


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "SECURITY.md", "docs/laws.md", *DECISIONS])
def test_files_that_a_guide_names_exist(name: str) -> None:
    named = {place for place in places((ROOT / name).read_text(encoding="utf-8")) if "NAME" not in place}
    assert not {place for place in named if not (ROOT / place).exists()}


def cited() -> dict[str, set[int]]:
    """The laws that each file of the code and each page names by number."""
    files = [path for folder in WHERE_LAWS_ARE_CITED for path in (ROOT / folder).rglob("*") if path.suffix in SOURCES]
    found: dict[str, set[int]] = {}
    for path in [*files, *(ROOT / name for name in PAGES)]:
        text = path.read_text(encoding="utf-8")
        told = re.findall(r"\b[Ll]aws? (\d+(?:(?:, | and |, and )\d+)*)", text)
        if told:
            found[str(path.relative_to(ROOT))] = {int(number) for one in told for number in re.findall(r"\d+", one)}
    return found


def test_every_law_that_is_cited_is_on_the_page() -> None:
    known = {int(number) for number in re.findall(r"^## (\d+)\. ", LAWS, re.MULTILINE)}
    assert known == set(range(1, 16))
    assert len(cited()) > 40
    assert {name: laws - known for name, laws in cited().items() if laws - known} == {}


def test_every_law_says_what_holds_it() -> None:
    for law in re.split(r"^## ", LAWS, flags=re.MULTILINE)[1:]:
        _, _, holds = law.partition("*Held")
        assert places(holds), law.partition("\n")[0]


def test_nothing_cites_a_document_that_is_not_here() -> None:
    """A reader of the code has the repository and nothing else."""
    files = [path for folder in WHERE_LAWS_ARE_CITED for path in (ROOT / folder).rglob("*") if path.suffix in SOURCES]
    word = "DES" + "IGN"
    assert [str(path) for path in files if re.search(rf"(?<!BY_)\b{word}\b", path.read_text(encoding="utf-8"))] == []


def test_the_index_has_every_decision_and_each_says_why() -> None:
    index = (ROOT / INDEX).read_text(encoding="utf-8")
    assert sorted(re.findall(r"\]\(([\w-]+\.md)\)", index)) == [Path(name).name for name in DECISIONS]
    for name in DECISIONS:
        text = (ROOT / name).read_text(encoding="utf-8")
        assert re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE) == [
            "Context", "Decision", "Evidence", "Consequences"
        ], name  # fmt: skip


def blocks(name: str) -> list[str]:
    """The code blocks of a page: lines that are indented by four."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return [block.strip("\n") for block in re.findall(r"(?:^    [^\n]*\n|(?<=\n)\n(?=    ))+", text, re.MULTILINE)]


def in_chinese(name: str) -> str:
    """The page in Chinese where there is one."""
    chinese = f"{name.removesuffix('.md')}.zh-CN.md"
    return chinese if (ROOT / chinese).is_file() else name


def test_both_languages_have_the_same_commands_and_links() -> None:
    english, chinese = "README.md", "README.zh-CN.md"
    assert blocks(chinese) == blocks(english)
    links = [
        re.findall(r"^\| [^|]+ \| \[[^\]]+\]\(([^)]+)\) \|$", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
        for name in (english, chinese)
    ]
    assert [in_chinese(link) for link in links[0]] == links[1]
    assert len(links[0]) > 10


def test_both_languages_are_built_alike() -> None:
    """Section by section, paragraph by paragraph: the same kinds of blocks, and the same code within them."""

    def shape(name: str) -> list[tuple[str, list[str]]]:
        text = (ROOT / name).read_text(encoding="utf-8")
        found = []
        for block in re.split(r"\n\n+", text.strip()):
            kind = re.match(r"#+|    |\||", block)
            assert kind is not None
            found.append((kind[0], sorted(re.findall(r"`[^`]+`|https?://[^\s>]+", block)) if kind[0] != "    " else []))
        return found

    assert shape("README.zh-CN.md") == shape("README.md")


def test_pre_commit_runs_what_lint_runs() -> None:
    rule = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\nlint: setup\n")[2].partition("\n\n")[0]
    wanted = [line.strip().replace("$(BIN)", ".venv/bin") for line in rule.splitlines()]
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert re.findall(r"^ +entry: (.+)$", hooks, re.MULTILINE) == wanted
    assert re.findall(r"^ *-? *repo: (.+)$", hooks, re.MULTILINE) == ["local"]
    assert hooks.count("pass_filenames: false") == len(wanted), "each looks at the whole tree, as make lint does"


OPERATIONS = ("docs/operations.md", "docs/operations.zh-CN.md")


@pytest.mark.parametrize("name", OPERATIONS)
def test_commands_and_files_that_operators_are_told_of_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    reference = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    known = set(re.findall(r"^### `tidegate ([a-z-]+(?: [a-z-]+)*)", reference, re.MULTILINE))
    code = [*blocks(name), *re.findall(r"`([^`]+)`", text)]
    said = {
        found
        for one in code
        for found in re.findall(r"(?:^|\n)tidegate ((?:[a-z-]+ ?)+)", re.sub(r"^    ", "", one, flags=re.M))
    }
    assert len(said) > 8
    unknown = {
        one
        for one in said
        if not any(one.startswith(command) or command.startswith(f"{one.strip()} ") for command in known)
        and not one.startswith("backup ")
    }
    assert unknown == set()
    options = set(re.findall(r"`(--[a-z-]+)[`, ]", reference))
    assert {option for one in code for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", one)} <= options
    files = {one for one in re.findall(r"(?:examples|deploy|benchmarks)/[\w./-]*\w", text) if not (ROOT / one).exists()}
    assert files == set()


def test_operators_of_both_languages_are_told_the_same() -> None:
    english, chinese = OPERATIONS
    assert blocks(english) == blocks(chinese)
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in OPERATIONS]
    for pattern in (r"^#+ ", r"^\|(?= )", r"^- "):
        assert len(re.findall(pattern, texts[0], re.M)) == len(re.findall(pattern, texts[1], re.M)), pattern
    links = [re.findall(r"\]\(([^)]+)\)", text)[1:] for text in texts]
    assert sorted(links[0]) == sorted(links[1])
