"""Why a request is refused before anything judges it: one table of stable reason codes.

Every refusal of the HTTP layer is one row here: a status, and a title in each language. The codes are part of the
contract: clients, dashboards and ``docs/reasons.md`` name them, and a test compares the two.
"""

from typing import Final

from filters.model.errors import TidegateError
from filters.model.meaning import Meaning, titled

REASONS: Final[dict[str, Meaning]] = {
    # the head, RFC 9112 sections 2 to 6
    "head.too_large": titled(431, "The request head is too large", "请求头过大"),
    "head.too_many_fields": titled(431, "The request has too many header fields", "请求头字段过多"),
    "head.timeout": titled(408, "The request head took too long", "请求头接收超时"),
    "head.request_line": titled(400, "The request line is malformed", "请求行格式不正确"),
    "head.version": titled(505, "This version of HTTP is not spoken here", "不支持该 HTTP 版本"),
    "head.method": titled(501, "This method is not offered", "不支持该请求方法"),
    "head.target_too_long": titled(414, "The request target is too long", "请求目标过长"),
    "head.target": titled(400, "The request target is malformed", "请求目标格式不正确"),
    "head.control_character": titled(
        400, "The request head has a control character or a bare line end", "请求头中含有控制字符或不成对的换行符"
    ),
    "head.folded_line": titled(400, "The request has a folded header line", "请求头中有折行的字段"),
    "head.field_line": titled(400, "A header line has no colon", "请求头中有一行缺少冒号"),
    "head.field_name": titled(400, "A header name is not a token", "请求头字段名不合规范"),
    "head.underscore_name": titled(
        400,
        "A header name has an underscore or another sign that CGI does not tell from a dash",
        "请求头字段名含有下划线，或其他 CGI 无法与连字符区分的符号",
    ),
    "head.missing_host": titled(400, "The Host field is missing", "缺少 Host 字段"),
    "head.duplicate_host": titled(400, "The Host field is there more than once", "Host 字段重复出现"),
    "head.host": titled(400, "The Host field is malformed", "Host 字段格式不正确"),
    "head.authority_mismatch": titled(
        400, "The request target and the Host field disagree", "请求目标与 Host 字段不一致"
    ),
    "head.content_length": titled(400, "The Content-Length field is malformed", "Content-Length 字段格式不正确"),
    "head.repeated_content_length": titled(
        400, "The Content-Length field is there more than once", "Content-Length 字段重复出现"
    ),
    "head.length_and_encoding": titled(
        400,
        "Content-Length and Transfer-Encoding exclude each other",
        "Content-Length 与 Transfer-Encoding 不能同时出现",
    ),
    "head.transfer_encoding": titled(
        400, "The Transfer-Encoding is not exactly chunked", "Transfer-Encoding 只能是 chunked"
    ),
    "head.method_override": titled(
        400,
        "The request asks to be read as another method, one that is moderated here",
        "请求要求改按另一种方法处理，而该方法在此须经审核",
    ),
    "head.target_override": titled(
        400,
        "The request asks to be read as for another address, one that is moderated here",
        "请求要求改按另一地址处理，而该地址须经审核",
    ),
    "head.connection_option": titled(
        400, "The Connection field names what is no matter of one hop", "Connection 字段列出了不属于逐跳传输的字段"
    ),
    "head.expectation": titled(417, "Only 100-continue can be expected", "Expect 字段只支持 100-continue"),
    "head.upgrade": titled(400, "This address does not switch protocols", "该地址不支持切换协议"),
    # the path, RFC 3986 section 6
    "path.percent": titled(400, "The path has a broken percent-encoding", "路径中的百分号编码不正确"),
    "path.character": titled(400, "The path has a character that needs encoding", "路径中有必须编码的字符未经编码"),
    "path.empty_segment": titled(400, "The path has an empty segment", "路径中有空段"),
    "path.dot_segment": titled(400, "The path has a dot segment", "路径中有“.”或“..”段"),
    "path.needless_encoding": titled(
        400, "The path encodes a character that needs no encoding", "路径对无需编码的字符做了编码"
    ),
    "path.encoded_slash": titled(400, "The path has an encoded slash", "路径中有经过编码的斜杠"),
    "path.parameters": titled(400, "The path has segment parameters", "路径段中带有参数"),
    "path.lookalike": titled(
        400, "The path differs only in form from one that is moderated", "该路径与须经审核的路径仅写法不同"
    ),
    "path.encoding": titled(400, "The path is not UTF-8", "路径不是 UTF-8 编码"),
    # the body, RFC 9112 sections 6 and 7
    "body.too_large": titled(413, "The body is too large", "请求体过大"),
    "body.timeout": titled(408, "The body took too long", "请求体接收超时"),
    "body.chunk_size": titled(400, "A chunk size is malformed", "分块大小格式不正确"),
    "body.chunk_extension": titled(400, "A chunk extension is too long or malformed", "分块扩展过长或格式不正确"),
    "body.chunk_end": titled(400, "A chunk does not end where its size says", "分块的结尾与其声明的大小不符"),
    "body.trailers": titled(400, "Trailer fields are not taken here", "此处不接受尾部字段"),
    "body.trailer_fields": titled(400, "The trailer section is malformed or too large", "尾部字段格式不正确或过大"),
    "body.small_chunks": titled(429, "The body comes in too many small chunks", "请求体被拆成过多的小块"),
    "body.too_slow": titled(408, "The body comes too slowly", "请求体发送过慢"),
    "answer.too_slow": titled(408, "The answer is read too slowly", "响应读取过慢"),
    "body.unexpected": titled(
        400, "A request that only reads has no body at this address", "在此地址，只读取内容的请求不得带有请求体"
    ),
    "body.cut_off": titled(400, "The body ended too early", "请求体不完整，提前结束"),
    # what we cannot give
    "route.unmatched": titled(404, "Nothing is offered at this address", "此地址没有可用的服务"),
    "route.unjudged": titled(
        403,
        "What is written to this address is moderated, and not in this way",
        "向此地址发布的内容须经审核，不能以这种方式发布",
    ),
    "route.host": titled(421, "This address is offered under another host only", "该地址仅在另一主机名下提供服务"),
    "cors.origin": titled(403, "This origin may not write here", "该来源的页面不能在此发布内容"),
    "server.busy": titled(503, "Too many connections from this address", "来自该网络地址的连接过多"),
    "server.overloaded": titled(503, "The gateway is overloaded; try again shortly", "网关负载过高，请稍后再试"),
    "server.full": titled(503, "The gateway has too much to do", "网关当前过于繁忙"),
    "gateway.failure": titled(500, "The gateway failed", "网关发生内部错误"),
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
        return REASONS[self.reason].status
