"""The supervisor, behind its unix socket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.common import channel
from gateway.control.acts.neighbours import Reloaded

RELOAD_WITHIN = 900.0  # seconds; a list of a million words compiles in twenty
STATUS_WITHIN = 1.0


class SupervisorSocket:
    """``path`` is the supervisor's socket."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def reload(self, may_shrink: Sequence[str] = ()) -> Reloaded:
        request = {"command": "reload", "may_shrink": list(may_shrink)}
        try:
            answer = await channel.call(self._path, request, timeout=RELOAD_WITHIN)
        except channel.ChannelError as error:
            return Reloaded(False, None, (f"the supervisor does not answer ({error.cause}); is tidegate running?",))
        return Reloaded(
            bool(answer.get("ok")),
            answer.get("generation"),
            tuple(map(str, answer.get("problems", ()))) or ((str(answer["error"]),) if "error" in answer else ()),
            tuple(map(str, answer.get("warnings", ()))),
            tuple(answer.get("lists", ())),
        )

    async def status(self) -> Mapping[str, Any]:
        return await channel.call(self._path, {"command": "status"}, timeout=STATUS_WITHIN)
