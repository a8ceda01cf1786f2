"""``tidegate state``: what the state server says of itself, and what control writes into it."""

from __future__ import annotations

from gateway.commands.state_rebuild import rebuild
from gateway.commands.state_status import app

app.command("rebuild")(rebuild)

__all__ = ["app"]
