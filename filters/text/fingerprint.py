"""The fingerprint by which the same text is known again."""

from hashlib import blake2b
from typing import Final

SIZE: Final = 8  # bytes: with a million live texts, two differ and agree with a chance of 3 in 100 million

_begun = blake2b(digest_size=SIZE).copy  # sooner than another of that size is made


def fingerprint(folded: str) -> bytes:
    """BLAKE2b-64 (RFC 7693) of a folded text; empty where the text folded to nothing, such as emoji alone."""
    if not folded:
        return b""
    try:
        data = folded.encode()
    except UnicodeEncodeError:  # half a surrogate pair
        data = folded.encode("utf-8", "surrogatepass")
    hashed = _begun()
    hashed.update(data)
    return hashed.digest()
