"""What other method or address an upstream could take a request for: ``X-HTTP-Method-Override``, ``X-Original-URL`` …

Frameworks let clients that know only GET and POST name another method in a header or, as ``_method``, in the query;
others believe the address that a rewriting server in front of them names in a header. A judged request goes on without
such headers. A request that is not judged keeps them, so it must be asked whether one of them would turn it, behind the
gate, into a request that should have been judged. (A ``_method`` field in the body of a form is out of sight here: a
platform that reads one has its routes match ``POST|PUT|PATCH``.)
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from gateway.http.wire.head import METHOD_OVERRIDES, TARGET_OVERRIDES, RequestHead

_NONE: frozenset[bytes] = frozenset()
_FIELD = b"_method"
_authority = re.compile(rb"(?:[A-Za-z][A-Za-z0-9+.\-]*:)?//[^/?#]*").match


def methods(head: RequestHead, query: bytes, fields: bool = True) -> frozenset[bytes]:
    """The methods, in capitals, that headers and ``query`` name beside the request's own; mostly none. ``fields``:
    whether headers are asked."""
    if not (head.overrides or head.underscored or query):
        return _NONE
    found: list[bytes] = []
    if fields and (head.overrides or head.underscored):
        # CGI and its heirs read X_HTTP_Method as X-HTTP-Method.
        found += (value for name, value in head.fields.items() if name.replace(b"_", b"-") in METHOD_OVERRIDES)
    if query and _FIELD in unquote_to_bytes(query).lower():
        for pair in query.replace(b";", b"&").split(b"&"):
            name, _, value = pair.partition(b"=")
            if _FIELD in unquote_to_bytes(name).lower():
                found.append(unquote_to_bytes(value))
    return frozenset(word.strip(b" \t\"'").upper() for value in found for word in value.split(b",")) - {head.method}


def targets(head: RequestHead) -> list[bytes]:
    """The targets, in origin-form, that headers name beside the request's own; mostly none."""
    if not (head.overrides or head.underscored):
        return []
    found: list[bytes] = []
    for name, value in head.fields.items():
        if name.replace(b"_", b"-") not in TARGET_OVERRIDES:
            continue
        for one in {value, *value.split(b",")}:
            word = one.strip(b" \t\"'").partition(b"#")[0]
            if word:
                found.append(word if word[:1] == b"/" else b"/" + word)
                absolute = _authority(word)
                if absolute is not None:
                    rest = word[absolute.end() :]
                    found.append(rest if rest[:1] == b"/" else b"/" + rest)
    return found
