"""Cross-origin answers of our own (https://fetch.spec.whatwg.org/#http-cors-protocol).

What the upstream answers carries the upstream's own CORS fields. A refusal that we write must be readable by the page
too, otherwise its reader learns nothing of it (law 12).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_EXPOSED: Final = b"Tidegate-Message-Id, Tidegate-Verdict, Retry-After, RateLimit, RateLimit-Policy"


class Cors:
    """A route's CORS settings.

    ``origins``: serialised origins; ``https://*.example.com`` for all below a name; ``*`` for all; ``same`` adds none,
    because a page of our own origin needs no permission. With ``credentials`` the origin is named in the answer.

    ``max_age``: seconds a preflight may be remembered.
    """

    __slots__ = ("_any", "_credentials", "_origins", "_preflight")

    def __init__(
        self,
        origins: Sequence[str],
        methods: Sequence[str],
        headers: Sequence[str],
        *,
        credentials: bool,
        max_age: int,
    ) -> None:
        self._any = "*" in origins
        if self._any and credentials:
            raise ValueError("lets every origin act with a person's credentials: name the origins")
        self._credentials = credentials
        patterns = (re.escape(origin.lower()).replace(r"\*", "[a-z0-9.-]+") for origin in origins if origin != "same")
        self._origins = re.compile("|".join(patterns).encode("ascii")).fullmatch
        self._preflight = (
            b"Access-Control-Allow-Methods: %b\r\nAccess-Control-Allow-Headers: %b\r\nAccess-Control-Max-Age: %d\r\n"
            % (", ".join(methods).encode("ascii"), ", ".join(headers).encode("ascii"), max_age)
        )

    def allows(self, origin: bytes) -> bool:
        """Whether a page of ``origin`` may read our answers."""
        return self._any or (bool(origin) and self._origins(origin.lower()) is not None)

    def answer_lines(self, origin: bytes | None) -> bytes:
        """Header lines for an answer of our own; whole lines."""
        if origin is None or not self.allows(origin):
            return b"" if self._any else b"Vary: Origin\r\n"
        allowed = self._allowed(origin)
        return b"%bAccess-Control-Expose-Headers: %b\r\n" % (allowed, _EXPOSED)

    def preflight_lines(self, origin: bytes | None) -> bytes | None:
        """Header lines for a 204 to a preflight, or None for an origin that is not allowed."""
        if origin is None or not self.allows(origin):
            return None
        return self._allowed(origin) + self._preflight

    def _allowed(self, origin: bytes) -> bytes:
        if self._any:
            return b"Access-Control-Allow-Origin: *\r\n"
        lines = b"Access-Control-Allow-Origin: %b\r\nVary: Origin\r\n" % origin
        return lines + b"Access-Control-Allow-Credentials: true\r\n" if self._credentials else lines
