"""docs/platforms.md, and the golden files of the presets: both say what stands in gateway/presets, and nothing else."""

from __future__ import annotations

import tempfile
from pathlib import Path

from gateway.presets import composing, laying
from gateway.presets import preset as presets
from gateway.presets.composing import Answers
from gateway.presets.preset import Preset

BEGIN = "<!-- platforms: written by `make reference`, do not edit below -->"
TRIED = {
    "en": {True: "tried against the published package", False: "written from its sources and documentation, not tried"},
    "zh": {True: "已用其发布的软件包试过", False: "依据其源码和文档编写，未经试用"},
}
HEADS = {"en": ("preset", "platform", "how far it was tried"), "zh": ("预设", "平台", "试用情况")}
TITLES = {
    "en": ("Judged", "Not judged", "What the refused person sees", "What cannot work yet", "Left to do by hand"),
    "zh": ("判定的内容", "不判定的内容", "被拒绝发布的人看到什么", "目前无法做到的", "还需要手工完成的"),
}
WRITES = {
    "en": (
        '`tidegate init {0} --address {1}`{2} writes this, below the usual `[server]` (`unmatched = "{3}"`), lists and '
        "policies:"
    ),
    "zh": (
        '`tidegate init {0} --address {1}`{2} 写出以下内容，其前为通常的 `[server]`（`unmatched = "{3}"`）、'
        "词表和策略："
    ),
}
WITH = {"en": " with", "zh": " 加上"}


def usual(preset: Preset) -> Answers:
    """What ``tidegate init PRESET --no-input`` takes."""
    refused, masked = composing.starters()
    return Answers(preset.address, composing.listen_for(preset.address), refused=refused, masked=masked)


def golden(name: str) -> str:
    """What ``config check`` warns of in a preset, and what it lists as written and judged by nobody."""
    preset = presets.load(name)
    with tempfile.TemporaryDirectory() as folder:
        laying.lay_lists(Path(folder))
        told = laying.write(composing.composed(preset, usual(preset)), Path(folder) / "tidegate.toml")
    return "".join(
        [*(f"warning: {one.en}\n" for one in told.warnings), *(f"unjudged: {one.en}\n" for one in told.unjudged)]
    )


def page(language: str = "en") -> str:
    """A table of all, and a section each."""
    lines = [BEGIN, "", f"| {' | '.join(HEADS[language])} |", "|---|---|---|"]
    for name in presets.names():
        one = presets.load(name)
        lines.append(f"| [`{name}`](#{name}) | {_title(one)} | {TRIED[language][one.tried]} |")
    for name in presets.names():
        lines += ["", *_section(presets.load(name), language)]
    return "\n".join(lines) + "\n"


def _title(preset: Preset) -> str:
    title = f"[{preset.title}]({preset.home})" if preset.home else preset.title
    return f"{title}, {preset.versions}" if preset.versions else title


def _section(preset: Preset, language: str) -> list[str]:
    told = preset.told(language)
    end, between = ("。", "，") if language == "zh" else (".", "; ")
    about = told.about if language == "zh" else f"{told.about} "
    lines = [f"## {preset.name}", "", f"{about}{_title(preset)}{between}{TRIED[language][preset.tried]}{end}", ""]
    said = (told.judged, told.unjudged, (told.refused,), told.cannot, told.todo)
    for title, several in zip(TITLES[language], said, strict=True):
        if several:
            lines += [f"**{title}**", "", *(f"- {one}" for one in several), ""]
    options = "".join(f" `{option}`" for option in _options(preset))
    more = f"{WITH[language]}{options}" if options else ""
    lines += [
        WRITES[language].format(preset.name, preset.address, more, preset.unmatched),
        "",
        *(f"    {line}".rstrip() for line in preset.body.rstrip("\n").splitlines()),
    ]
    return lines


def _options(preset: Preset) -> list[str]:
    return [{"site": "--site ORIGIN", "front": "--front RANGE"}[one] for one in preset.asks]
