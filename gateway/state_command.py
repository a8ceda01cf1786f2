"""``tidegate state``: what the state server says of itself, and what control writes into it."""

from __future__ import annotations

from gateway.control.commands import rebuild
from gateway.state.commands import app

app.command("rebuild")(rebuild)

__all__ = ["app"]
