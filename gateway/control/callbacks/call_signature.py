"""How a receiver knows that a call is ours, and of now: HMAC-SHA256 (RFC 2104) over the time, a full stop and the body.

    Tidegate-Timestamp: 1796000000
    Tidegate-Signature: v1=5257a8…, v1=6ffbb5…        one for each secret; any of them is enough

The time is signed, so that what somebody has overheard cannot be sent again later; each try is signed anew. Kept simple
enough to be verified in ten lines (docs/callbacks.md).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

VERSION: Final = "v1"


def signed(secrets: Sequence[str], body: bytes, now_s: int) -> dict[str, str]:
    """The fields that go along. Without a secret there is none."""
    if not secrets:
        return {}
    message = b"%d.%b" % (now_s, body)
    digests = (hmac.new(secret.encode(), message, hashlib.sha256).hexdigest() for secret in secrets)
    return {
        "Tidegate-Timestamp": str(now_s),
        "Tidegate-Signature": ", ".join(f"{VERSION}={digest}" for digest in digests),
    }
