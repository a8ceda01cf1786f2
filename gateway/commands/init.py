"""``tidegate init``: a configuration for a platform that many people run, from what is known of it and a few answers.

On a terminal it asks for what no option said; elsewhere, or with ``--no-input``, it takes what is usual. It writes one
file, checked as ``tidegate config check`` does, and says what is judged then, what is not, and what is left to do.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.prompt import Prompt
from rich.text import Text

from gateway.commands import obligations, places
from gateway.commands.places import ConfigOption
from gateway.config import ConfigError
from gateway.config.sections.routes import Origin
from gateway.config.values.units import Listen, Range, ServerUrl
from gateway.obligations.regulations.sentence import Sentence
from gateway.presets import composing, laying
from gateway.presets import preset as presets
from gateway.presets.composing import Answers
from gateway.presets.laying import Vetted
from gateway.presets.preset import Preset

LANGUAGES = ("auto", "zh", "en")

Name = Annotated[str | None, typer.Argument(metavar="PRESET", help="What stands behind; --list shows all.")]
Files = list[Path] | None


def init(
    preset: Name = None,
    listed: Annotated[bool, typer.Option("--list", help="List the presets, and write nothing.")] = False,
    printed: Annotated[
        bool, typer.Option("--print", help="Write the configuration to standard output, and nothing else.")
    ] = False,
    config_file: ConfigOption = None,
    address: Annotated[
        str | None, typer.Option(metavar="URL", help="Where the platform listens.", show_default=False)
    ] = None,
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where the gateway listens.", show_default=False)
    ] = None,
    control: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where admin API, health and metrics listen.")
    ] = composing.CONTROL,
    front: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RANGE",
            help="Addresses of the proxies before the gateway, whose word on addresses and senders counts; "
            "repeatable. This machine if not given.",
            show_default=False,
        ),
    ] = None,
    site: Annotated[
        str | None,
        typer.Option(metavar="ORIGIN", help="The site whose pages show what is written.", show_default=False),
    ] = None,
    under: Annotated[
        str, typer.Option(metavar="PATH", help="The folder of its host that the platform lies in, such as /isso.")
    ] = "",
    deny: Annotated[
        Files, typer.Option(metavar="FILE", help="Word list whose words are refused; repeatable.", show_default=False)
    ] = None,
    mask: Annotated[
        Files, typer.Option(metavar="FILE", help="Word list whose words are masked; repeatable.", show_default=False)
    ] = None,
    appeal: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Where refused people can turn to; {id} is the message's id.", show_default=False
        ),
    ] = None,
    language: Annotated[
        str, typer.Option("--lang", help="Of what people are told: zh, en, or auto (what their browser asks for).")
    ] = "auto",
    force: Annotated[bool, typer.Option("--force", help="Replace a configuration that is there.")] = False,
    no_input: Annotated[bool, typer.Option("--no-input", help="Ask nothing, also on a terminal.")] = False,
) -> None:
    """Write a checked configuration for a platform: Isso, Waline, Synapse and others, or plain JSON."""
    if language not in LANGUAGES:
        places.refuse(f"--lang is one of {', '.join(LANGUAGES)}")
    words = Tongue(obligations.chosen("" if language == "auto" else language))
    if listed:
        _list(words)
        return
    asking = not (no_input or printed) and sys.stdin.isatty() and sys.stdout.isatty()
    target = config_file if config_file is not None else places.USUAL_CONFIG
    if not printed and target.is_dir():
        places.refuse(words("a folder", target))
    if not printed and not force and target.exists():
        places.refuse(words("there", target), places.WRONG)
    if not printed and not target.absolute().parent.is_dir():
        places.refuse(words("no folder", target.absolute().parent))
    chosen = _preset(preset, asking, words)
    answers = _answers(
        chosen,
        Answers(address or "", listen or "", control, tuple(front or ()), site or "", under, language=language),  # type: ignore[arg-type]
        asking,
        words,
    )
    answers = _with_appeal(answers, appeal, asking, words)
    answers, starters = _with_lists(answers, deny, mask, asking, words, target.absolute().parent)
    text = composing.composed(chosen, answers)
    if printed:
        typer.echo(text, nl=False)
        return
    _write(text, target, chosen, words, starters=starters, force=force)


class Tongue:
    """What is said, in one language."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, key: str, *values: object) -> str:
        return TEXTS[key][self.language == "zh"].format(*values)

    def of(self, sentence: Sentence) -> str:
        """What is known in both."""
        return sentence.zh if self.language == "zh" else sentence.en


TEXTS: dict[str, tuple[str, str]] = {
    "which": ("Which platform stands behind?", "后面是哪个平台？"),
    "address": ("Where does it listen?", "平台监听在哪里？"),
    "listen": ("Where shall the gateway listen?", "网关监听在哪里？"),
    "front": (
        "Which proxies stand before the gateway (address ranges, with blanks between)?",
        "网关之前有哪些代理（地址范围，以空格分隔）？",
    ),
    "site": (
        "Whose pages show what is written (such as https://www.example.com; empty: later)?",
        "内容显示在哪个网站上（例如 https://www.example.com；留空：以后再填）？",
    ),
    "under": (
        "In which folder of its host does it lie (empty: at the root)?",
        "位于域名下的哪个目录（留空：根目录）？",
    ),
    "deny": (
        "Files of words to refuse, with blanks between (empty: the small demo lists)?",
        "要拒绝的词表文件，以空格分隔（留空：随附的小型演示词表）？",
    ),
    "mask": ("Files of words to mask (empty: none)?", "要遮盖的词表文件（留空：无）？"),
    "appeal": (
        "Where can refused people turn to (an address; {{id}} is the message's id; empty: nowhere yet)?",
        "被拒绝的人向哪里申诉（地址，{{id}} 为消息编号；留空：暂无）？",
    ),
    "language": ("In which language are they told (auto, zh, en)?", "用什么语言告知（auto、zh、en）？"),
    "there": (
        "{0} is there already: write elsewhere (--config), or replace it (--force)",
        "{0} 已存在：请写到别处（--config），或替换它（--force）",
    ),
    "a folder": (
        "{0} is a folder: name the file to write (--config)",
        "{0} 是文件夹：请指明要写入的文件（--config）",
    ),
    "unwritten": ("{0} was not written: {1}", "{0} 未写入：{1}"),
    "unknown": ("no preset is called “{0}”{1}", "没有名为“{0}”的预设{1}"),
    "name one": (
        "name a preset: tidegate init PRESET (--list shows them)",
        "请指明预设：tidegate init 预设名（--list 列出全部）",
    ),
    "wrote": ("Written: {0}", "已写入：{0}"),
    "lists": ("Word lists to begin with: {0}", "起步用的词表：{0}"),
    "judged": ("Judged", "判定的内容"),
    "unjudged": ("Not judged", "不判定的内容"),
    "relayed": ("Written through the gateway, and judged by nobody", "经过网关写入而无人判定"),
    "refused": ("What a refused person sees", "被拒绝的人看到什么"),
    "cannot": ("What cannot work yet", "目前无法做到的"),
    "todo": ("Left to do", "还需要做的"),
    "warnings": ("Worth a second look (tidegate config check)", "值得再看一眼（tidegate config check）"),
    "next": ("Then: tidegate run{0}", "然后：tidegate run{0}"),
    "to front": (
        "the front sends everything for the platform to {0}, with X-Forwarded-For",
        "前端把发往平台的全部请求转到 {0}，并带上 X-Forwarded-For",
    ),
    "to site": (
        "write your site's origin in place of {0}, or its pages cannot read a refusal",
        "把 {0} 换成您网站的来源，否则其页面读不到拒绝的原因",
    ),
    "to appeal": (
        "write an address for appeals into each policy (appeal): every refused person should have one",
        "在每条策略中写入申诉地址（appeal）：每个被拒绝的人都应有申诉途径",
    ),
    "to lists": (
        "put lists of your own in place of the demo's: they hold a few dozen words",
        "换成您自己的词表：演示词表只有几十个词",
    ),
    "to grounds": (
        "write what your refusals rest on into ground, and its Chinese into sentences.terms",
        "在 ground 中写明拒绝的依据，中文写入 sentences.terms",
    ),
    "to regulations": (
        "see what the regulations ask for besides (tidegate config check --obligations): for example, no rule here "
        "asks for a verified identity",
        "查看法规还要求什么（tidegate config check --obligations）：例如此处没有规则要求真实身份信息认证",
    ),
    "no folder": ("{0} is no folder: create it first", "{0} 不是文件夹：请先创建"),
    "tried": ("tried", "已试用"),
    "from pages": ("from its sources and pages", "依据其源码和文档"),
}
"""In English and in Chinese."""


def _list(words: Tongue) -> None:
    width = max(map(len, presets.names()))
    for name in presets.names():
        one = presets.load(name)
        told = words("tried" if one.tried else "from pages")
        typer.echo(f"{name:<{width}}  {one.told(words.language).about} ({told})")


def _preset(name: str | None, asking: bool, words: Tongue) -> Preset:
    if name is None:
        if not asking:
            places.refuse(words("name one"))
        _list(words)
        name = _ask(words("which"), "plain", lambda told: told if told in presets.names() else _no_preset(told, words))
    if name not in presets.names():
        places.refuse(words("unknown", name, places.nearest(name, presets.names())))
    return presets.load(name)


def _no_preset(name: str, words: Tongue) -> str:
    raise ValueError(words("unknown", name, places.nearest(name, presets.names())))


def _answers(preset: Preset, given: Answers, asking: bool, words: Tongue) -> Answers:
    """What was given, else asked, else usual; each in the form that a configuration takes."""
    url = TypeAdapter[str](ServerUrl).validate_python
    place = TypeAdapter[str](Listen).validate_python
    address = _told("--address", given.address, "address", preset.address, url, asking, words)
    usual = composing.listen_for(address)
    listen = _told("--listen", given.listen, "listen", usual, place, asking, words)
    told = " ".join(given.fronts)
    fronts = _told("--front", told, "front", " ".join(composing.FRONT), _ranges, asking, words)
    site = given.site
    if "site" in preset.asks or site:
        site = _told("--site", site, "site", "", _origin, asking, words)
    under = _told("--under", given.under, "under", "", _folder, asking, words)
    language = given.language
    if asking and language == "auto":
        language = _ask(words("language"), "auto", _language)
    _valid("--control", given.control, place)
    return replace(
        given, address=address, listen=listen, fronts=tuple(fronts.split()), site=site, under=under, language=language
    )


def _told(
    option: str, given: str, question: str, usual: str, valid: Callable[[str], Any], asking: bool, words: Tongue
) -> str:
    if given:
        return _valid(option, given, valid)
    return _ask(words(question), usual, valid) if asking else usual


def _valid(option: str, given: str, valid: Callable[[str], Any]) -> str:
    try:
        valid(given)
    except ValueError as error:
        why = _why(error)
        places.refuse(f"{option}{' ' if why.startswith(('is ', 'names ')) else ': '}{why}")
    return given


def _why(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        return error.errors()[0]["msg"].removeprefix("Value error, ")
    return str(error)


def _ask(question: str, usual: str, valid: Callable[[str], Any]) -> Any:
    """What a person says, until it is an answer. Ends the command where nobody is there any more."""
    console = Console()
    while True:
        try:
            told = Prompt.ask(Text(question), console=console, default=usual, show_default=bool(usual)).strip()
        except EOFError:
            raise typer.Abort from None
        try:
            valid(told)
        except ValueError as error:
            console.print(Text(f"{told}: {_why(error)}", style="red"))
        else:
            return told


def _ranges(told: str) -> None:
    for one in told.split():
        TypeAdapter[Any](Range).validate_python(one)


def _origin(told: str) -> None:
    if told:
        TypeAdapter[str](Origin).validate_python(told.rstrip("/"))
        if told.endswith("/") or not told.startswith("http"):
            raise ValueError("is not a site’s origin: write “https://www.example.com”, without a slash behind it")


def _folder(told: str) -> None:
    if told and (not told.startswith("/") or told.endswith("/") or not told.isascii() or set(told) & set(' "{}?#%')):
        raise ValueError("is not a folder: write “/isso”")


def _language(told: str) -> None:
    if told not in LANGUAGES:
        raise ValueError(f"is not one of {', '.join(LANGUAGES)}")


def _with_appeal(answers: Answers, given: str | None, asking: bool, words: Tongue) -> Answers:
    if given is None and asking:
        given = _ask(words("appeal"), "", lambda _: None)
    return replace(answers, appeal=given or "off")


def _with_lists(
    answers: Answers, deny: Files, mask: Files, asking: bool, words: Tongue, folder: Path
) -> tuple[Answers, bool]:
    """With the lists, as the configuration in ``folder`` can name them; and whether they are those that come with the
    program."""
    refused, masked = list(deny or ()), list(mask or ())
    if asking and not refused and not masked:
        refused = [Path(one) for one in _ask(words("deny"), "", _files).split()]
        masked = [Path(one) for one in _ask(words("mask"), "", _files).split()] if refused else []
    if not refused and not masked:
        first, second = composing.starters()
        return replace(answers, refused=first, masked=second), True
    for option, several in (("--deny", refused), ("--mask", masked)):
        _valid(option, " ".join(map(str, several)), lambda _, several=several: _there(several))  # type: ignore[misc]
    named = replace(
        answers,
        refused=tuple(_from(folder, path) for path in refused),
        masked=tuple(_from(folder, path) for path in masked),
    )
    return named, False


def _files(told: str) -> None:
    _there([Path(one) for one in told.split()])


def _there(paths: Sequence[Path]) -> None:
    for path in paths:
        if not path.is_file():
            raise ValueError(f"names {path}, which is no file")


def _from(folder: Path, path: Path) -> str:
    whole = path.absolute()
    return str(whole.relative_to(folder)) if whole.is_relative_to(folder) else str(whole)


def _write(text: str, target: Path, preset: Preset, words: Tongue, *, starters: bool, force: bool) -> None:
    try:
        with ExitStack() as stack:
            laid = stack.enter_context(laying.lists_laid(target.absolute().parent)) if starters else []
            checked = laying.write(text, target, force=force)
    except ConfigError as error:
        for problem in error.problems:
            typer.echo(str(problem), err=True)
        places.refuse(f"{len(error.problems)} problem{'s' if len(error.problems) > 1 else ''}", places.WRONG)
    except laying.AlreadyThere:
        places.refuse(words("there", target), places.WRONG)
    except OSError as error:  # a folder that nobody may write to, a full disk
        place = Path(str(error.filename or target))
        folder = target.absolute().parent if place.name.startswith(".") else place  # not the name that it has aside
        places.refuse(words("unwritten", target, f"{folder}: {error.strerror or error}"), places.WRONG)
    _report(text, target, preset, checked, words, laid, starters)


def _report(
    text: str, target: Path, preset: Preset, checked: Vetted, words: Tongue, laid: Sequence[Path], starters: bool
) -> None:
    told = preset.told(words.language)
    typer.echo(words("wrote", target))
    if laid:
        typer.echo(words("lists", ", ".join(path.name for path in laid)))
    _section(words("judged"), told.judged)
    _section(words("unjudged"), told.unjudged)
    _section(words("relayed"), [words.of(one) for one in checked.unjudged])
    _section(words("refused"), [told.refused])
    _section(words("cannot"), told.cannot)
    _section(words("warnings"), [words.of(one) for one in checked.warnings])
    todo = [words("to front", _listening(text)), *told.todo]
    if presets.SITE in text:
        todo.append(words("to site", presets.SITE))
    if 'appeal = "off"' in text:
        todo.append(words("to appeal"))
    if starters:
        todo.append(words("to lists"))
    todo += [words("to grounds"), words("to regulations")]
    _section(words("todo"), todo)
    typer.echo("\n" + words("next", "" if target == places.USUAL_CONFIG else f" -c {shlex.quote(str(target))}"))


def _listening(text: str) -> str:
    return text.partition('\nlisten = "')[2].partition('"')[0]


def _section(title: str, lines: Sequence[str]) -> None:
    if not lines:
        return
    typer.echo(f"\n{title}")
    for line in lines:
        typer.echo(f"  - {line}")
