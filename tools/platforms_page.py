"""docs/platforms.md, and the golden files of the presets: both say what stands in gateway/presets, and nothing else."""

from __future__ import annotations

import tempfile
from pathlib import Path

from gateway.presets import composing, laying
from gateway.presets import preset as presets
from gateway.presets.composing import Answers
from gateway.presets.preset import Preset

BEGIN = "<!-- platforms: written by `make reference`, do not edit below -->"
TRIED = {True: "tried against the published package", False: "written from its sources and documentation, not tried"}


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
        [*(f"warning: {one}\n" for one in told.warnings), *(f"unjudged: {one.en}\n" for one in told.unjudged)]
    )


def page() -> str:
    """A table of all, and a section each."""
    lines = [BEGIN, "", "| preset | platform | how far it was tried |", "|---|---|---|"]
    for name in presets.names():
        one = presets.load(name)
        lines.append(f"| [`{name}`](#{name}) | {_title(one)} | {TRIED[one.tried]} |")
    for name in presets.names():
        lines += ["", *_section(presets.load(name))]
    return "\n".join(lines) + "\n"


def _title(preset: Preset) -> str:
    title = f"[{preset.title}]({preset.home})" if preset.home else preset.title
    return f"{title}, {preset.versions}" if preset.versions else title


def _section(preset: Preset) -> list[str]:
    told = preset.en
    lines = [f"## {preset.name}", "", f"{told.about} {_title(preset)}; {TRIED[preset.tried]}.", ""]
    for title, several in (
        ("Judged", told.judged),
        ("Not judged", told.unjudged),
        ("What the refused person sees", (told.refused,)),
        ("What cannot work yet", told.cannot),
        ("Left to do by hand", told.todo),
    ):
        if several:
            lines += [f"**{title}**", "", *(f"- {one}" for one in several), ""]
    asked = "".join(f" {one}" for one in (f"`{option}`" for option in _options(preset)))
    lines += [
        f"`tidegate init {preset.name} --address {preset.address}`{asked and f' with{asked}'} writes this, below the "
        f'usual `[server]` (`unmatched = "{preset.unmatched}"`), lists and policies:',
        "",
        *(f"    {line}".rstrip() for line in preset.body.rstrip("\n").splitlines()),
    ]
    return lines


def _options(preset: Preset) -> list[str]:
    return [{"site": "--site ORIGIN", "front": "--front RANGE"}[one] for one in preset.asks]
