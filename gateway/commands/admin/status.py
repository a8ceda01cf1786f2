"""``tidegate status``: this node at a glance, once or live.

Control is asked; where it does not answer and the node is of this machine, its supervisor says which processes live.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Annotated, Any

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from gateway.commands import places, terminal
from gateway.commands.admin.calling import JsonOption, Located, TokenFileOption, UrlOption, called_by, located, refusal
from gateway.commands.places import WRONG, ConfigOption, DataDirOption
from gateway.common import channel
from gateway.common.folders import Folders
from gateway.common.units import duration
from gateway.control.api.client import CallRefused, ControlClient

WITHIN = 5.0  # seconds for one look
SHORTEST = 0.2  # seconds between two looks

Told = dict[str, Any]


def status(
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    url: UrlOption = "",
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Look again and again, until interrupted.")] = False,
    every: Annotated[str, typer.Option("--every", help="With --watch: how often.")] = "2s",
) -> None:
    """This node at a glance. Exit code 0 where it is fit for traffic, 1 where it is not or does not answer."""
    try:
        pause = max(SHORTEST, duration(every))
    except ValueError as error:
        places.refuse(f"--every: “{every}” {error}")
    found = located(config, data_dir, url)
    near = None if url else places.folders(config, data_dir)
    try:
        told = called_by(token_file, found.kept)
        code = asyncio.run(_run(found, told, near, terminal.for_programs(as_json), pause if watch else 0.0))
    except CallRefused as error:
        places.refuse(refusal(error), WRONG)
    except KeyboardInterrupt:
        code = 0
    raise typer.Exit(code)


async def _run(found: Located, told: str, near: Folders | None, as_json: bool, pause: float) -> int:
    """Look once, or every ``pause`` seconds; the exit code of the last look."""
    async with ControlClient(found.address, told, within=WITHIN) as client:

        async def look() -> Told:
            try:
                return await client.call("GET", "/v1/status")
            except CallRefused as error:
                if error.reason:
                    raise
                return await _without_control(near, str(error))

        if not pause:
            now = await look()
            if as_json:
                terminal.lines([now])
            else:
                Console().print(shown(now, None))
            if "problem" in now:
                typer.echo(now["problem"], err=True)
            return 0 if now["ready"] else WRONG
        if as_json:
            return await _watched(look, pause, lambda now, before: terminal.lines([now]))
        with Live(console=Console(), auto_refresh=False, screen=sys.stdout.isatty()) as live:
            return await _watched(look, pause, lambda now, before: live.update(shown(now, before), refresh=True))


async def _watched(look: Callable[[], Any], pause: float, show: Callable[[Told, Told | None], None]) -> int:
    before: Told | None = None
    while True:
        now: Told = await look()
        show(now, before)
        before = now
        await asyncio.sleep(pause)


async def _without_control(near: Folders | None, problem: str) -> Told:
    """What the supervisor of this machine says, where control does not answer. Raises CallRefused."""
    told: Told = {"ready": False, "problem": problem}
    if near is not None:
        with suppress(channel.ChannelError, OSError):
            node = await channel.call(near.supervisor_socket, {"command": "status"}, timeout=WITHIN)
            children = node.get("children", {})
            processes = [{"name": name, **child, "resident_bytes": None} for name, child in children.items()]
            return {**told, "generation": node.get("generation"), "processes": processes}
    raise CallRefused(problem)


def shown(now: Mapping[str, Any], before: Mapping[str, Any] | None) -> RenderableType:
    """A look for a person. ``before``: the look before, for how much happened in between."""
    lines = Table.grid(padding=(0, 2))
    lines.add_column(style="bold", no_wrap=True)
    lines.add_column(overflow="fold")
    for name, value, good in _lines(now, before):
        lines.add_row(name, Text(terminal.visible(value), style="" if good else "bold red"))
    processes = Table.grid(padding=(0, 2))
    for heading in ("process", "pid", "state", "restarts", "memory"):
        processes.add_column(heading, no_wrap=True)
    processes.add_row(*(Text(heading, style="bold") for heading in ("process", "pid", "state", "restarts", "memory")))
    for one in now.get("processes", ()):
        size = f"{one['resident_bytes'] >> 20} MiB" if one.get("resident_bytes") else ""
        told = (one["name"], str(one["pid"] or ""), one["state"], str(one["restarts"]), size)
        processes.add_row(*(Text(terminal.visible(each)) for each in told))
    return Group(lines, Text(), processes)


def _lines(now: Mapping[str, Any], before: Mapping[str, Any] | None) -> list[tuple[str, str, bool]]:
    """Name, value, and whether it is as it should be."""
    lines = [("node", "ready" if now["ready"] else "not ready", bool(now["ready"]))]
    for name, check in now.get("checks", {}).items():
        if not check["ok"] or (check["detail"] and name not in ("workers",)):
            lines.append((name, check["detail"] or "not well", check["ok"]))
    if "problem" in now:
        lines.append(("control", now["problem"], False))
    generation = now.get("generation")
    since = f", since {terminal.when(now['generation_since'])}" if now.get("generation_since") else ""
    lines.append(
        ("generation", f"{generation}{since}" if generation is not None else "unknown", generation is not None)
    )
    if now.get("reload_refused"):
        lines.append(("reload", f"the last one was refused, {terminal.when(now['reload_refused'])}", False))
    if "traffic" not in now:
        return lines
    for worker in now["workers"]:
        wrong = [told for told in (worker["journal"], worker["state"]) if told]
        wrong += [worker["answers"]] if worker["answers"] != "ok" else []
        old = worker["generation"] not in (None, generation)
        wrong += [f"still with generation {worker['generation']}"] if old else []
        lines.append((worker["name"], "; ".join(wrong) or f"{worker['connections']} connections", not wrong))
    lines.append(("open", f"{now['connections']} connections, {now['sockets']} WebSockets", True))
    lines += _traffic(now, before)
    queues = now["queues"]
    waiting = f"{queues['outbox']} acts, the oldest {queues['outbox_age']:.0f} s" if queues["outbox"] else "empty"
    lines.append(("outbox", waiting, not queues["outbox"]))
    lines.append(("journal", f"{queues['journal_lag'] * 1e3:.0f} ms behind", queues["journal_lag"] < 1))
    open_ = {state: count for state, count in queues["takedowns"].items() if state != "confirmed" and count}
    if open_:
        told = ", ".join(f"{count} {state}" for state, count in open_.items())
        lines.append(("takedowns", told, "unconfirmed" not in open_))
    if now["mirror_lag"] is not None:
        lines.append(("mirror", f"{now['mirror_lag']:.1f} s behind, {queues['mirror']} bullets wait", True))
    return lines


def _traffic(now: Mapping[str, Any], before: Mapping[str, Any] | None) -> list[tuple[str, str, bool]]:
    """Messages and what was degraded: since the look before, else since control started."""
    old = before["traffic"] if before is not None and "traffic" in before else None
    messages = _since(now["traffic"]["messages"], old["messages"] if old else {})
    degraded = _since(now["traffic"]["degraded"], old["degraded"] if old else {})
    judged = sum(messages.values())
    per = ""
    if old is not None and before is not None:
        elapsed = (now["at"] - before["at"]) / 1e6
        per = f", {judged / elapsed:,.0f} a second" if elapsed > 0 else ""
    told = ", ".join(f"{count:,} {verdict}" for verdict, count in sorted(messages.items()) if count)
    lines = [("messages", f"{judged:,}{per}{f': {told}' if told else ''}", True)]
    count = sum(degraded.values())
    causes = ", ".join(f"{cause} {number:,}" for cause, number in sorted(degraded.items()) if number)
    # A message may be counted for several checks: more than one of a hundred messages is no share of them.
    each = f", {count / judged:.2g} a message" if judged and count else ""
    lines.append(("degraded", f"{count:,} checks{each}{f': {causes}' if causes else ''}", not count))
    return lines


def _since(now: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    """What was added; a control that started anew counts from nothing."""
    return {name: count - before.get(name, 0) if count >= before.get(name, 0) else count for name, count in now.items()}
