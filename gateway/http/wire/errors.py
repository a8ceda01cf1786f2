"""Why a request is refused before anything judges it: one table of stable reason codes.

Every refusal of the HTTP layer is one row here: ``reason: (status, title)``. The codes are part of the contract:
clients, dashboards and ``docs/reasons.md`` name them, and a test compares the two.
"""

from typing import Final

from filters.model.errors import TidegateError

REASONS: Final[dict[str, tuple[int, str]]] = {
    # the head, RFC 9112 sections 2 to 6
    "head.too_large": (431, "The request head is too large"),
    "head.too_many_fields": (431, "The request has too many header fields"),
    "head.timeout": (408, "The request head took too long"),
    "head.request_line": (400, "The request line is malformed"),
    "head.version": (505, "This version of HTTP is not spoken here"),
    "head.method": (501, "This method is not offered"),
    "head.target_too_long": (414, "The request target is too long"),
    "head.target": (400, "The request target is malformed"),
    "head.control_character": (400, "The request head has a control character or a bare line end"),
    "head.folded_line": (400, "The request has a folded header line"),
    "head.field_line": (400, "A header line has no colon"),
    "head.field_name": (400, "A header name is not a token"),
    "head.underscore_name": (400, "A header name has an underscore or another sign that CGI does not tell from a dash"),
    "head.missing_host": (400, "The Host field is missing"),
    "head.duplicate_host": (400, "The Host field is there more than once"),
    "head.host": (400, "The Host field is malformed"),
    "head.authority_mismatch": (400, "The request target and the Host field disagree"),
    "head.content_length": (400, "The Content-Length field is malformed"),
    "head.repeated_content_length": (400, "The Content-Length field is there more than once"),
    "head.length_and_encoding": (400, "Content-Length and Transfer-Encoding exclude each other"),
    "head.transfer_encoding": (400, "The Transfer-Encoding is not exactly chunked"),
    "head.method_override": (400, "The request asks to be read as another method, one that is moderated here"),
    "head.target_override": (400, "The request asks to be read as for another address, one that is moderated here"),
    "head.connection_option": (400, "The Connection field names what is no matter of one hop"),
    "head.expectation": (417, "Only 100-continue can be expected"),
    "head.upgrade": (400, "This address does not switch protocols"),
    # the path, RFC 3986 section 6
    "path.percent": (400, "The path has a broken percent-encoding"),
    "path.character": (400, "The path has a character that needs encoding"),
    "path.empty_segment": (400, "The path has an empty segment"),
    "path.dot_segment": (400, "The path has a dot segment"),
    "path.needless_encoding": (400, "The path encodes a character that needs no encoding"),
    "path.encoded_slash": (400, "The path has an encoded slash"),
    "path.parameters": (400, "The path has segment parameters"),
    "path.lookalike": (400, "The path differs only in form from one that is moderated"),
    "path.encoding": (400, "The path is not UTF-8"),
    # the body, RFC 9112 sections 6 and 7
    "body.too_large": (413, "The body is too large"),
    "body.timeout": (408, "The body took too long"),
    "body.chunk_size": (400, "A chunk size is malformed"),
    "body.chunk_extension": (400, "A chunk extension is too long or malformed"),
    "body.chunk_end": (400, "A chunk does not end where its size says"),
    "body.trailers": (400, "Trailer fields are not taken here"),
    "body.trailer_fields": (400, "The trailer section is malformed or too large"),
    "body.small_chunks": (429, "The body comes in too many small chunks"),
    "body.too_slow": (408, "The body comes too slowly"),
    "answer.too_slow": (408, "The answer is read too slowly"),
    "body.cut_off": (400, "The body ended too early"),
    # what we cannot give
    "route.unmatched": (404, "Nothing is offered at this address"),
    "route.unjudged": (403, "What is written to this address is moderated, and not in this way"),
    "route.host": (421, "This address is offered under another host only"),
    "server.busy": (503, "Too many connections from this address"),
    "server.full": (503, "The gateway has too much to do"),
    "gateway.failure": (500, "The gateway failed"),
}


class HTTPError(TidegateError):
    """What a peer sent breaks a rule of ``REASONS``. Says which rule, never what was sent: that may be personal."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    @property
    def status(self) -> int:
        """The status of the answer that tells it."""
        return REASONS[self.reason][0]
