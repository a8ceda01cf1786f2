"""Members of groups, at their sockets."""

from __future__ import annotations

from loadtest.users.watcher import Watcher


class Member(Watcher):
    """Most groups sleep: Zipf's law chooses."""

    route = "group-live"
    rooms_prefix = "group"
    frame_type = "message"
    path = "/groups/{room}/ws"
