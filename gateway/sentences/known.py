"""Every sentence that anybody outside is told, by reason code: from the tables of the parts that give them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from filters.checks import CHECKS
from filters.model.meaning import Meaning
from gateway.http.upstream import failure
from gateway.http.wire import errors
from gateway.sentences import appealing
from gateway.sentences.own import NOTICES, OWN, UNAVAILABLE
from gateway.surfaces.input import reasons
from gateway.websocket import handshake


@cache
def known() -> Mapping[str, Meaning]:
    """All of them. Close codes are not among them: the text of a close frame is the reason code."""
    return {
        **errors.REASONS,
        **handshake.REASONS,
        **reasons.REASONS,
        **{code: meaning for check in CHECKS.values() for code, meaning in check.reasons.items()},
        **OWN,
        **{f"{check}.unavailable": UNAVAILABLE for check in CHECKS},
        **failure.REASONS,
        **appealing.REASONS,
        **NOTICES,
    }
