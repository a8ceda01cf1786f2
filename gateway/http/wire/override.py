"""What other method an upstream could take a request for: ``X-HTTP-Method-Override`` and its like.

Frameworks let clients that know only GET and POST name another method in a header or, as ``_method``, in the query.
A judged request goes on without such headers. A request that is not judged keeps them, so it must be asked whether one
of them would turn it, behind the gate, into a request that should have been judged. (A ``_method`` field in the body of
a form is out of sight here: a platform that reads one has its routes match ``POST|PUT|PATCH``.)
"""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from gateway.http.wire.head import OVERRIDES, RequestHead

_NONE: frozenset[bytes] = frozenset()
_FIELD = b"_method"


def methods(head: RequestHead, query: bytes) -> frozenset[bytes]:
    """The methods, in capitals, that headers and ``query`` name beside the request's own; mostly none."""
    if not (head.overrides or head.underscored or query):
        return _NONE
    found: list[bytes] = []
    if head.overrides or head.underscored:
        # CGI and its heirs read X_HTTP_Method as X-HTTP-Method.
        found += (value for name, value in head.fields.items() if name.replace(b"_", b"-") in OVERRIDES)
    if query and _FIELD in unquote_to_bytes(query).lower():
        for field in query.replace(b";", b"&").split(b"&"):
            name, _, value = field.partition(b"=")
            if _FIELD in unquote_to_bytes(name).lower():
                found.append(unquote_to_bytes(value))
    return frozenset(word.strip(b" \t\"'").upper() for value in found for word in value.split(b",")) - {head.method}
