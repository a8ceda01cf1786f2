"""The Lua scripts: read once from their files, called by the digest of their text."""

from __future__ import annotations

from hashlib import sha1
from pathlib import Path

from gateway.state.hot.wire import bulk

FOLDER = Path(__file__).with_name("lua")


class Script:
    """``by_digest`` and ``by_text`` are the first two arguments of a call: EVALSHA, and EVAL where it is unknown."""

    __slots__ = ("by_digest", "by_text", "text")

    def __init__(self, name: str) -> None:
        self.text = (FOLDER / f"{name}.lua").read_bytes()
        digest = sha1(self.text, usedforsecurity=False).hexdigest()
        self.by_digest = bulk(b"EVALSHA") + bulk(digest.encode())
        self.by_text = bulk(b"EVAL") + bulk(self.text)


ADMIT = Script("admit")
GIVE_BACK = Script("give_back")
