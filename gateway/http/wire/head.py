"""Reading heads: strict, sans-I/O, the same code for requests and responses (RFC 9112 sections 2 to 6).

Why not a parser from the shelf: strictness is ours to say, for requests and responses alike; each line is at hand as it
came, so that a head is rebuilt by joining lines; and what two parsers could read in two ways is refused with a reason
of its own.

Two paths give the same answers. The careful one reads line by line and knows the reason of every refusal. The quick one
serves the heads that nearly all are: no field twice, no line that is written oddly. It remembers lines that were read
before, within bounds, and hands whatever it does not know at a glance to the careful one.

Laws:

* whatever is not plainly one reading is an ``HTTPError``; nothing is repaired;
* a field line that is kept has exactly the form ``Name: value``;
* hop-by-hop fields, fields that ``Connection`` names, framing, forwarding and ``Tidegate-*`` fields are not among the
  kept lines: who sends a head on adds its own.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from filters.model.remembered import Remembered
from gateway.http.wire.errors import HTTPError
from gateway.http.wire.fields import CONTROLS, Glances, Uncommon, cgi_name, read_fields, token

CHUNKED: Final = -1
"""As a length: the body is chunked."""
UNTIL_CLOSE: Final = -2
"""As a length, of a response only: the body ends with the connection."""

_host = re.compile(
    rb"(?:\[[0-9A-Fa-f:.]{2,45}\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2}){1,255})(?::[0-9]{1,5})?"
).fullmatch
_absolute = re.compile(rb"(https?)://([^/?#@]+)(.*)", re.IGNORECASE | re.DOTALL).fullmatch
_status_line = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: (.*))?", re.DOTALL).fullmatch


METHODS: Final = frozenset((b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"HEAD", b"OPTIONS"))
VERSIONS: Final = {b"HTTP/1.1": 1, b"HTTP/1.0": 0}
METHOD_OVERRIDES: Final = frozenset((b"x-http-method-override", b"x-http-method", b"x-method-override"))
"""Fields that let a request be another method than it says."""
TARGET_OVERRIDES: Final = frozenset(
    (
        b"x-original-url", b"x-original-uri", b"x-rewrite-url", b"x-rewrite-uri", b"x-override-url", b"path-info",
        b"x-waws-unencoded-url",
    )
)  # fmt: skip
"""Fields that let a request be for another address than it says: IIS and its modules set them, and frameworks
(Zend, Symfony, Laminas) believe them; Gunicorn took PATH_INFO from a field."""
SCRIPT_NAMES: Final = frozenset((b"x-script-name", b"script-name"))
"""Fields that name the beginning of a path which is no part of the address behind it: Gunicorn and well-known
middleware of WSGI take it off."""
OVERRIDES: Final = METHOD_OVERRIDES | TARGET_OVERRIDES | SCRIPT_NAMES
"""Never sent on from a judged route."""

_HOP_BY_HOP: Final = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"http2-settings",
        b"content-length",  # framing: written anew from what is really sent
    )
)
_OPTIONS: Final = frozenset(
    (
        b"",
        b"close",
        b"connection",
        b"http2-settings",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
"""What ``Connection`` may say of one hop (RFC 9110 sections 7.6.1, 7.8, 10.1.4 and 11.7; RFC 7540 section 3.2.1)."""
_DECIDED_BY: Final = OVERRIDES | {b"origin"}
"""Fields by which a request that nobody judges is let through: what was let through goes on with them."""
_FORWARDING: Final = frozenset(
    (
        b"x-forwarded-for",
        b"x-forwarded-proto",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-real-ip",
        b"forwarded",
        b"via",
    )
)
_REQUEST_SPECIAL: Final = _HOP_BY_HOP | _FORWARDING | {b"host", b"expect"}
_RESPONSE_SPECIAL: Final = _HOP_BY_HOP
_RARE: Final = frozenset((b"transfer-encoding", b"expect", b"upgrade")) | OVERRIDES
"""Fields that say how the rest is to be read: the careful path decides what they mean."""
_STAYS: Final = frozenset((None, b"keep-alive", b"Keep-Alive"))
"""What ``Connection`` says of a connection that stays as it is under HTTP/1.1."""


class HeadBounds(NamedTuple):
    """``size``: bytes of a head with its last line end; ``fields``: header lines; ``target``: bytes of the target."""

    size: int = 16384
    fields: int = 100
    target: int = 8192


DEFAULT_BOUNDS: Final = HeadBounds()


_NONE: Final[frozenset[bytes]] = frozenset()
_request_glances: Final = Glances(_REQUEST_SPECIAL, _RARE)
_response_glances: Final = Glances(_RESPONSE_SPECIAL, _NONE)
_ANSWERS: Final = 512
_good_hosts: Final[Remembered[bytes, bytes]] = Remembered(Glances.CAPACITY)
"""Well-formed Host values seen lately; bounded, and emptied when full."""
_lengths: Final[Remembered[bytes, int]] = Remembered(Glances.CAPACITY)
"""Values of Content-Length seen lately; bounded, and emptied when full."""
_request_lines: Final[Remembered[bytes, tuple[bytes, bytes, int]]] = Remembered(Glances.CAPACITY)
"""Request lines without a query seen lately: method, target, minor version; bounded, and emptied when full."""
_answers: Final[Remembered[bytes, ResponseHead]] = Remembered(_ANSWERS)
"""Whole heads of answers seen lately: most of an upstream's answers differ in nothing but the second of their Date.
Bounded, emptied when full; none that sets a cookie. They are shared: nobody changes a head once it is read."""
_LONGEST_ANSWER: Final = 1024


class RequestHead:
    """A request's head.

    ``target``: origin-form or ``*``, as sent (absolute-form is taken apart). ``host``: the authority, as sent; empty
    only under HTTP/1.0. ``fields``: every field by lower-case name, repeated ones joined (RFC 9110 section 5.3) and
    named in ``repeated``. ``lines``: what may be sent on, in order. ``length``: body bytes, or ``CHUNKED``.
    ``minor``: 0 or 1. ``expect``: the client waits for 100 (Continue). ``upgrade``: the protocols asked for, in lower
    case. ``underscored``: a name is another one's to CGI. ``overrides``: a kept line is in ``OVERRIDES``. ``options``:
    what ``Connection`` names that is no matter of one hop; where something is read of the request, it is refused.
    """

    __slots__ = (
        "expect",
        "fields",
        "host",
        "keep_alive",
        "length",
        "lines",
        "method",
        "minor",
        "options",
        "overrides",
        "repeated",
        "target",
        "underscored",
        "upgrade",
    )

    method: bytes
    target: bytes
    minor: int
    host: bytes
    fields: dict[bytes, bytes]
    lines: list[bytes]
    repeated: set[bytes] | frozenset[bytes]
    length: int
    keep_alive: bool
    expect: bool
    upgrade: bytes
    underscored: bool
    overrides: bool
    options: frozenset[bytes]

    def get(self, name: bytes) -> bytes | None:
        """The value of the field ``name`` (lower case), repeated ones joined."""
        return self.fields.get(name)


class ResponseHead:
    """A response's head. ``length``: body bytes as announced, ``CHUNKED`` or ``UNTIL_CLOSE``; whether a body follows at
    all also depends on the request: ``body_length``. ``lines`` and ``fields``: as in ``RequestHead``. Heads are shared
    among equal answers: nothing of one is changed, but that ``relayed`` holds what ``forwarding`` has made of it.
    """

    __slots__ = ("fields", "keep_alive", "length", "lines", "minor", "reason", "relayed", "repeated", "status")

    status: int
    reason: bytes
    minor: int
    fields: dict[bytes, bytes]
    lines: list[bytes]
    repeated: set[bytes] | frozenset[bytes]
    length: int
    keep_alive: bool
    relayed: bytes

    def get(self, name: bytes) -> bytes | None:
        """The value of the field ``name`` (lower case), repeated ones joined."""
        return self.fields.get(name)

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The kept fields in order, names in lower case. For callers that are not in a hurry."""
        pairs = (line.partition(b": ") for line in self.lines)
        return [(name.lower(), value) for name, _, value in pairs]

    def body_length(self, method: bytes) -> int:
        """How the body of this answer to ``method`` is framed (RFC 9112 section 6.3): bytes, CHUNKED, UNTIL_CLOSE."""
        if method == b"HEAD" or self.status in (204, 304) or self.status < 200:
            return 0
        return self.length


def find_head(data: bytes | bytearray, bounds: HeadBounds, start: int = 0, searched: int = 0) -> int:
    """Where the head that begins at ``start`` ends: the index of its closing CRLF CRLF, or -1 where more is needed.

    ``searched``: how far an earlier call has looked. Raises ``HTTPError`` when the bound is passed, and for a bare line
    feed: a head that ends its lines by those alone has no end that is waited for.
    """
    end = data.find(b"\r\n\r\n", searched - 3 if searched > start + 3 else start)
    if end < 0:
        if len(data) - start > bounds.size:
            raise HTTPError("head.too_large")
        fresh = max(start, searched)
        if data.count(b"\n", fresh) != data.count(b"\r\n", max(start, fresh - 1)):
            raise HTTPError("head.control_character")
        return -1
    if end + 4 - start > bounds.size:
        raise HTTPError("head.too_large")
    return end


def _split(head: bytes, bounds: HeadBounds) -> list[bytes]:
    lines = head.split(b"\r\n")
    ends = len(lines) - 1
    if ends > bounds.fields:
        raise HTTPError("head.too_many_fields")
    # Every CR LF was a line end; any other control character is a bare one.
    if len(head.translate(None, CONTROLS)) != len(head) - 2 * ends:
        raise HTTPError("head.control_character")
    return lines


def parse_request(head: bytes, bounds: HeadBounds = DEFAULT_BOUNDS) -> RequestHead:
    """Read a request's head, without its closing CRLF CRLF. Raises ``HTTPError``.

    Here is the quick path; what it does not know at a glance is left to the careful one."""
    lines = head.split(b"\r\n")
    line = lines.pop(0)
    try:
        method, target, minor = _request_lines.known.get(line) or _request_line(line)
        fields, kept = _request_glances.lines(lines)
        digits = fields.get(b"content-length")
        length = 0 if digits is None else _lengths.known.get(digits) or _length(digits)
    except Uncommon:
        return _careful_request(head, bounds)
    host = fields.get(b"host")
    if (
        len(fields) > bounds.fields
        or len(target) > bounds.target
        or host not in _good_hosts.known
        or not minor
        or fields.get(b"connection") not in _STAYS
    ):
        return _careful_request(head, bounds)
    request = RequestHead()
    request.method = method
    request.target = target
    request.minor = minor
    request.host = host
    request.fields = fields
    request.lines = kept
    request.repeated = _NONE
    request.length = length
    request.keep_alive = True
    request.expect = False
    request.upgrade = b""
    request.underscored = False
    request.overrides = False
    request.options = _NONE
    return request


def _length(digits: bytes) -> int:
    """The value of a Content-Length."""
    if not digits.isdigit() or len(digits) > 18:
        raise Uncommon
    return _lengths.put(digits, int(digits))


def _request_line(line: bytes) -> tuple[bytes, bytes, int]:
    """Method, origin-form target and minor version of a plain request line."""
    parts = line.split(b" ")
    if len(parts) != 3:
        raise Uncommon
    method, target, version = parts
    if (
        method not in METHODS
        or version not in VERSIONS
        or target[:1] != b"/"
        or b"#" in target
        or b"\t" in target
        or len(line.translate(None, CONTROLS)) != len(line)
    ):
        raise Uncommon
    read = method, target, VERSIONS[version]
    if b"?" not in target and len(target) <= Glances.LONGEST:  # a query may hold a secret
        _request_lines.put(line, read)
    return read


def _careful_request(head: bytes, bounds: HeadBounds) -> RequestHead:
    lines = _split(head, bounds)
    parts = lines[0].split(b" ")
    if len(parts) != 3:
        raise HTTPError("head.request_line")
    request = RequestHead()
    method, target, version = parts
    minor = VERSIONS.get(version, -1)
    if minor < 0:
        raise HTTPError("head.version" if re.fullmatch(rb"HTTP/[0-9]\.[0-9]", version) else "head.request_line")
    if method not in METHODS:
        if not token(method):
            raise HTTPError("head.request_line")
        # An upstream that ignores the case of methods would read "post" as POST.
        if method in (b"CONNECT", b"TRACE") or method != method.upper():
            raise HTTPError("head.method")
    if len(target) > bounds.target:
        raise HTTPError("head.target_too_long")
    del lines[0]
    fields, kept, repeated, underscored = read_fields(lines, _REQUEST_SPECIAL)
    request.method = method
    request.minor = minor
    request.fields = fields
    request.lines = kept
    request.repeated = repeated if repeated is not None else _NONE
    host = fields.get(b"host")
    if host is None:
        if minor:
            raise HTTPError("head.missing_host")
        host = b""
    elif repeated is not None and b"host" in repeated:
        raise HTTPError("head.duplicate_host")
    elif host not in _good_hosts.known:
        if not _host(host):
            raise HTTPError("head.host")
        _good_hosts.put(host, host)
    request.host = host
    if b"#" in target or b"\t" in target or not target:
        raise HTTPError("head.target")
    if target[:1] != b"/":
        target = _other_form(target, request)
    request.target = target
    if b"content-length" in fields or b"transfer-encoding" in fields:
        request.length = _announced(fields, request.repeated, minor)
    else:
        request.length = 0
    request.keep_alive = minor == 1
    request.options = _NONE
    if b"connection" in fields:
        named = _connection(request, fields, minor)
        if named:
            request.options = frozenset(named)
            _remove(request, {name for name in named if cgi_name(name) not in _DECIDED_BY})
    expectation = fields.get(b"expect")
    request.expect = False
    if expectation is not None:
        if expectation.lower() != b"100-continue":
            raise HTTPError("head.expectation")
        request.expect = minor == 1 and request.length != 0  # RFC 9110 section 10.1.1: an HTTP/1.0 one is ignored
    upgrade = fields.get(b"upgrade")
    request.upgrade = b"" if upgrade is None or minor == 0 else upgrade.lower()
    request.underscored = underscored
    request.overrides = not OVERRIDES.isdisjoint(fields)
    return request


def _other_form(target: bytes, request: RequestHead) -> bytes:
    """The origin-form of a target that is not one (RFC 9112 section 3.2)."""
    if target == b"*":
        if request.method != b"OPTIONS":
            raise HTTPError("head.target")
        return target
    matched = _absolute(target)
    if matched is None:
        raise HTTPError("head.target")
    scheme, authority, rest = matched.groups()
    if not _host(authority):
        raise HTTPError("head.target")
    if request.host and _comparable(scheme, authority) != _comparable(scheme, request.host):
        raise HTTPError("head.authority_mismatch")
    request.host = authority
    return rest if rest[:1] == b"/" else b"/" + rest


def _comparable(scheme: bytes, authority: bytes) -> bytes:
    default = b":443" if scheme.lower() == b"https" else b":80"
    return authority.lower().removesuffix(default)


def _announced(fields: dict[bytes, bytes], repeated: set[bytes] | frozenset[bytes], minor: int) -> int:
    """The body's framing as the fields announce it (RFC 9112 section 6)."""
    length = fields.get(b"content-length")
    encoding = fields.get(b"transfer-encoding")
    if encoding is not None:
        if length is not None:
            raise HTTPError("head.length_and_encoding")
        if minor == 0 or encoding.lower() != b"chunked":
            raise HTTPError("head.transfer_encoding")
        return CHUNKED
    if length is None:
        return UNTIL_CLOSE
    if b"content-length" in repeated:
        raise HTTPError("head.repeated_content_length")
    if not length.isdigit() or len(length) > 18:
        raise HTTPError("head.repeated_content_length" if b"," in length else "head.content_length")
    return int(length)


def _collapsed(fields: dict[bytes, bytes], repeated: set[bytes] | None) -> None:
    """Content-Lengths that all say the same are one (RFC 9110 section 8.6). Of answers only: a request that has several
    is refused, because whoever stands behind may not read it as we do."""
    said = {one.strip(b" \t") for one in fields[b"content-length"].split(b",")}
    if len(said) == 1:
        fields[b"content-length"] = said.pop()
        if repeated is not None:
            repeated.discard(b"content-length")


def _connection(head: RequestHead | ResponseHead, fields: dict[bytes, bytes], minor: int) -> set[bytes]:
    """Apply the Connection field (RFC 9110 section 7.6.1): keep-alive or not. Gives the options that are not known to
    be of one hop: names of fields to be removed."""
    options = fields[b"connection"].lower()
    if options == b"keep-alive":
        head.keep_alive = True
        return set()
    if options == b"close":
        head.keep_alive = False
        return set()
    named = {option.strip(b" \t") for option in options.split(b",")}
    head.keep_alive = b"close" not in named and (minor == 1 or b"keep-alive" in named)
    return named - _OPTIONS


def _remove(head: RequestHead | ResponseHead, named: set[bytes]) -> None:
    """Leave out the lines that Connection names."""
    if named:
        head.lines = [line for line in head.lines if line.partition(b":")[0].lower() not in named]


def known_response(head: bytes, bounds: HeadBounds = DEFAULT_BOUNDS) -> ResponseHead | None:
    """What ``parse_response`` gave for the same bytes lately; None where they have to be read."""
    known = _answers.known.get(head)
    return known if known is not None and len(known.fields) <= bounds.fields and len(head) <= bounds.size - 4 else None


def parse_response(head: bytes, bounds: HeadBounds = DEFAULT_BOUNDS) -> ResponseHead:
    """Read a response's head, without its closing CRLF CRLF. Raises ``HTTPError``: the answer is then garbage."""
    known = known_response(head, bounds)
    if known is not None:
        return known
    lines = _split(head, bounds)
    matched = _status_line(lines[0])
    if matched is None:
        raise HTTPError("head.request_line")
    del lines[0]
    response = ResponseHead()
    try:
        fields, kept = _response_glances.lines(lines)
        repeated = None
    except Uncommon:
        fields, kept, repeated, _ = read_fields(lines, _RESPONSE_SPECIAL)
    minor = 1 if matched[1] == b"1" else 0
    response.minor = minor
    response.status = int(matched[2])
    response.reason = matched[3] or b""
    if b"," in fields.get(b"content-length", b""):
        _collapsed(fields, repeated)
    response.fields = fields
    response.lines = kept
    response.repeated = repeated if repeated is not None else _NONE
    response.length = _announced(fields, response.repeated, minor)
    response.keep_alive = minor == 1
    if b"connection" in fields:
        _remove(response, _connection(response, fields, minor))
    response.relayed = b""
    # An answer that can have no body is not remembered: who remembers one takes its length at its word.
    bodily = response.status >= 200 and response.status not in (204, 304)
    if bodily and repeated is None and b"set-cookie" not in fields and len(head) <= _LONGEST_ANSWER:
        _answers.put(head, response)
    return response
