"""Which words an artifact holds, whoever compiled it: to say how a list changed."""

from __future__ import annotations

import json

from filters.lists.artifact import Artifact
from filters.lists.rows import ALLOW, KIND


def denied_ids(artifact: Artifact) -> frozenset[int]:
    """The ids of everything that a list denies; allow phrases are none of it. Folding tables and engine may be others
    than this program's."""
    if artifact.header["kind"] == "patterns":
        patterns = json.loads(bytes(artifact.section("patterns")))
        return frozenset(pattern[0] for pattern in patterns if not pattern[5])
    ids = artifact.array("ids", "Q")
    words = artifact.array("row_words", "I")
    allowed = {words[row] for row, flag in enumerate(artifact.section("row_flags")) if flag & KIND == ALLOW}
    found = frozenset(ids[word] for word in range(len(ids)) if word not in allowed) if allowed else frozenset(ids)
    if "signed" in artifact.header["sections"]:
        found |= denied_ids(Artifact(artifact.section("signed"), check=False))
    return found
