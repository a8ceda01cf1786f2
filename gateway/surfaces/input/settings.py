"""What a route says of its surface, as plain values: the configuration fills it, the surface compiles it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from filters.model.errors import TidegateError
from filters.text.folding import TEXT_MAX
from gateway.common.defaults import default_size, default_time
from gateway.surfaces.input.forms import MAX_FIELDS
from gateway.surfaces.input.strict_json import MAX_DEPTH

Scalar = str | int | float | bool
RoomFormat = Literal["refuse", "keep", "number", "number-title", "uuid", "lower"]

COMPOSED = re.compile(r"\{([^{}]*)\}")
"""The sources in a composed one: ``{form:content_type}:{form:object_pk}``."""

MAX_JWKS = 1 << 20  # bytes of a JWK set: a thousand keys and more


Algorithm = Literal[
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]


class SurfaceError(TidegateError, ValueError):
    """The settings of a surface do not make sense; the message names key, value and remedy."""


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """How JSON Web Tokens are found and verified.

    ``source``: ``header:Authorization`` (after ``Bearer``, RFC 6750), another header, or a cookie. ``keys``: by key id
    (which may be empty), a secret or a public key in PEM; ``jwks``: the text of a JWK set (RFC 7517). ``algorithms``
    pins what is accepted; ``none`` never is. ``leeway`` in seconds. ``max_cached`` bounds the verified tokens that are
    remembered until they expire. ``require_exp``: a token that never ends is none.
    """

    algorithms: tuple[Algorithm, ...] = ("RS256",)
    source: str = "header:Authorization"
    keys: tuple[tuple[str, bytes], ...] = ()
    jwks: bytes = b""
    issuer: str = ""
    audience: tuple[str, ...] = ()
    leeway: float = default_time("30s")
    require_exp: bool = True
    max_token: int = 8192
    max_cached: int = 65_536


@dataclass(frozen=True, slots=True)
class SurfaceSettings:
    """One route's surface.

    Sources are written ``header:X-User-Id``, ``jwt:sub``, ``json:/user/id``, ``form:uid``, ``cookie:user``,
    ``query:uid``, ``path:room``; of several the first that is present counts, and none at all is not read. ``text``
    lists ``json:``, ``form:`` and ``body:text`` (the whole plain-text body); the Content-Type decides which of them
    apply. ``parts`` lists ``json:`` and ``form:``. A ``room`` may be composed of several (``COMPOSED``). A sender that
    a client could write itself (all sources but ``jwt:``, ``path:``, ``whoami:``, ``ip:`` and ``const:``) counts only
    from a trusted peer. ``digest_key``: what the digests of ``hash:`` sources are keyed with. ``edit``:
    messages replace earlier ones, also those of a POST. ``optional_text``: a message may have no text.
    ``playback_unit`` is that of the source's number. ``format``: how frames of a socket are read, a key of FORMATS.
    ``id_to``: where our id is written into the message (``json:/pointer``; ``header:`` is the carrier's matter).
    In a ``text`` that is ``json:``, ``*`` stands for every element of an array. ``each``: a pointer that ends in
    ``/*``: every such element is a message of its own, whose sources are read within it, and ``whole:`` outside
    (``each.py``). ``max_elements`` bounds both. ``filename:field`` in ``text``: what uploads are called.
    ``digest_sender``: of which sources of the sender a digest is kept. ``room_format``: how rooms are spelled
    (``sources/rooms.py``); ``room_ends_path``: nothing stands behind it in the path. Bounds: ``max_text`` in code
    points, all texts of a message together; ``max_inflated`` in bytes, all that one body or frame decompresses to.
    """

    name: str
    surface: str
    sender: tuple[str, ...]
    text: tuple[str, ...]
    room: tuple[str, ...] = ()
    device: tuple[str, ...] = ()
    registrant: tuple[str, ...] = ()
    location: tuple[str, ...] = ()
    verified: tuple[str, ...] = ()
    level: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    shown_sender: tuple[str, ...] = ()
    playback: tuple[str, ...] = ()
    playback_unit: Literal["ms", "s"] = "s"
    message_when: Mapping[str, tuple[Scalar, ...]] = field(default_factory=dict)
    relay_when: Mapping[str, tuple[Scalar, ...]] = field(default_factory=dict)
    format: str = "json"
    read_ip: bool = True
    edit: bool | None = None
    digest_sender: Literal["credentials", "always", "never"] = "credentials"
    room_format: RoomFormat = "refuse"
    room_ends_path: bool = False
    optional_text: bool = False
    upstream_id: str = ""
    id_to: str = ""
    token: TokenSettings | None = None
    digest_key: bytes = b""
    max_text: int = TEXT_MAX
    max_json_depth: int = MAX_DEPTH
    max_inflated: int = default_size("1MiB")
    max_fields: int = MAX_FIELDS
    max_packets: int = 64
    each: str = ""
    max_elements: int = 64

    @property
    def room_sources(self) -> tuple[str, ...]:
        """The sources of the room, those of composed ones each."""
        return tuple(one for room in self.room for one in (COMPOSED.findall(room) or [room]))
