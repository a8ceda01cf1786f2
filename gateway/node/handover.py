"""What one program hands to the next that is executed in its place, and how it is executed.

The process stays: its id, its children, its descriptors. Everything else is a JSON document in a file without a name
(memfd_create(2)), whose descriptor stands in the environment. It says, too, which program was there before and in what
environment, so that one that cannot go on executes that again.

Signals are held from before the one program ends until the other can take them: the default of most would end the node.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, NoReturn

FORMAT: Final = 1
"""Of the document. A program says in its trial which it reads, and is not executed where ours is not among them."""
READS: Final = (1,)
HANDED: Final = "TIDEGATE_HANDOVER"
"""In the environment: the descriptor of the document."""
ON_TRIAL: Final = "TIDEGATE_TRIAL"
"""The same for a trial: what would be handed over is only read."""
SIGNALS: Final = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR2)


@dataclass(frozen=True, slots=True)
class Predecessor:
    """The program that is gone, to be executed again. ``number``: which it was; ``generation``: what was in force.
    ``command``: without its arguments."""

    number: int
    argv: list[str]
    environ: dict[str, str]
    command: list[str]
    generation: int


@dataclass(frozen=True, slots=True)
class Handover:
    """``number``: of the program that takes over, different for each; ``command``: it, without its arguments.
    ``lock``, ``sockets``: descriptors. ``processes``: as ``Children.handed_on`` tells them. ``upgrade``: what is told
    of the upgrade; ``reload_due``: a reload was asked for meanwhile."""

    number: int
    command: list[str]
    generation: int
    lock: int
    sockets: list[int]
    processes: dict[str, Any]
    upgrade: dict[str, Any]
    told: dict[str, Any] = field(default_factory=dict)
    reload_due: bool = False
    before: Predecessor | None = None


def received(environ: Mapping[str, str] = os.environ) -> Handover | None:
    """What the program before this one handed over; None where there was none. Raises ValueError or OSError where it
    cannot be read."""
    descriptor = environ.get(HANDED, "")
    if not descriptor:
        return None
    document = json.loads(os.pread(int(descriptor), os.fstat(int(descriptor)).st_size, 0))
    if document.pop("format") not in READS:
        raise ValueError("a handover of another format")
    before = document.pop("before")
    return Handover(**document, before=Predecessor(**before) if before is not None else None)


def done(handover: Handover) -> None:
    """It is taken over: what happens from now on happens to this program."""
    for descriptor in (int(os.environ.pop(HANDED)), *handover.sockets):
        os.close(descriptor)


def written(handover: Handover) -> int:
    """The descriptor of the document; inherited by whatever is executed. Raises OSError."""
    # A byte of the environment that is no UTF-8 stands as a lone surrogate, which only this library writes and reads.
    data = json.dumps({"format": FORMAT, **asdict(handover)}).encode()
    document = os.memfd_create("tidegate-handover", 0)
    os.write(document, data)
    return document


def execute(argv: Sequence[str], environ: Mapping[str, str], handover: Handover) -> NoReturn:
    """Let the program take the place of this one. Raises OSError where there is none; nothing has changed then."""
    document = written(handover)
    handed = handover.processes
    pipes = [one["pipe"] for several in handed.values() for one in several if "pipe" in one]
    try:
        for descriptor in (handover.lock, *handover.sockets, *pipes):
            os.set_inheritable(descriptor, True)
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        sys.stdout.flush()
        sys.stderr.flush()
        os.execve(argv[0], list(argv), {**environ, HANDED: str(document)})  # noqa: S606 - no shell is wanted
    except BaseException:  # raised again: this program goes on, and must hear what it is told
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        os.close(document)
        raise


def back(handover: Handover, before: Predecessor, problems: Sequence[str]) -> NoReturn:
    """Execute the program before this one again, and let it tell why. Raises OSError where that is gone, too."""
    upgrade = {**handover.upgrade, "state": "returning", "problems": list(problems)}
    returned = Handover(
        before.number, before.command, before.generation, handover.lock, handover.sockets, handover.processes, upgrade,
        handover.told, handover.reload_due,
    )  # fmt: skip
    execute(before.argv, before.environ, returned)


def give_back(problem: str) -> None:
    """For a program that cannot even begin: execute the one before it, if there was one and it can be."""
    try:
        handover = received()
    except (OSError, ValueError, TypeError, KeyError):
        return
    if handover is not None and handover.before is not None:
        back(handover, handover.before, [problem])
