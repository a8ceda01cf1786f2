"""Viewers of a live show: a few rooms draw nearly everybody."""

from __future__ import annotations

from loadtest.users.watcher import Watcher


class Viewer(Watcher):
    """Watches, and hardly ever writes."""

    route = "live"
    rooms_prefix = "show"
    frame_type = "danmaku"
    path = "/live/{room}"


class Fan(Viewer):
    """Writes when something happens."""
