"""Why a body cannot be judged: one table of reason codes, and the exception that carries one.

``Refused`` never leaves this package: each surface turns it into ``Malformed`` in one place. Texts here are written
for the sender and hold nothing of what was sent (law 7).
"""

from __future__ import annotations

from filters.model.errors import TidegateError
from filters.model.meaning import Meaning, titled

REASONS: dict[str, Meaning] = {
    # the body as a whole
    "type.unsupported": titled(
        415,
        "The Content-Type is missing, repeated or not one that this address reads",
        "Content-Type 缺失、重复，或不是此地址支持的类型",
    ),
    "charset.unsupported": titled(415, "Only UTF-8 is read", "仅支持 UTF-8 编码"),
    "coding.unsupported": titled(
        415,
        "The Content-Encoding is not one of gzip, deflate and br, or there are several",
        "Content-Encoding 只能是 gzip、deflate、br 中的一种",
    ),
    "coding.malformed": titled(
        400, "The body is not what its Content-Encoding says", "请求体与其 Content-Encoding 不符"
    ),
    "body.inflates": titled(413, "The body is too large once decompressed", "请求体解压后过大"),
    "body.bom": titled(400, "The body begins with a byte order mark", "请求体以字节顺序标记（BOM）开头"),
    "body.not_utf8": titled(400, "The body is not valid UTF-8", "请求体不是有效的 UTF-8"),
    "body.nul": titled(400, "The body holds the character U+0000", "请求体含有字符 U+0000"),
    # JSON
    "body.not_json": titled(400, "The body is not valid JSON (RFC 8259)", "请求体不是有效的 JSON（RFC 8259）"),
    "body.duplicate_key": titled(400, "An object holds the same key twice", "同一对象中有重复的键"),
    "body.key_case": titled(
        400,
        "An object holds a key that differs from another, or from one read here, only in case",
        "对象中有一个键与另一个键或此处读取的键仅大小写不同",
    ),
    "body.too_deep": titled(400, "The document is nested too deeply", "文档嵌套过深"),
    "body.surrogate": titled(400, "A string holds half of a surrogate pair", "字符串中有不成对的代理项"),
    "body.number": titled(
        400,
        "A number is outside what all readers read alike: 64-bit integers, finite doubles",
        "数字超出通用范围：只接受 64 位整数和有限的双精度浮点数",
    ),
    "body.not_array": titled(400, "An array was expected in the document", "文档中的此处应为数组"),
    "body.too_many": titled(413, "An array in the document has too many elements", "文档中数组的元素过多"),
    "id.place": titled(
        400,
        "The document has no room for the message's id: an object was expected on the way to it",
        "文档中没有可以写入消息编号的位置：写入路径上应为对象",
    ),
    # forms
    "form.malformed": titled(
        400, "The form is not written as its Content-Type asks", "表单的写法与其 Content-Type 不符"
    ),
    "form.too_many": titled(413, "The form has too many fields", "表单字段过多"),
    "form.twice": titled(
        400,
        "A field that is read here was sent more than once, or in the query as well",
        "此处读取的字段被重复提交，或同时出现在查询参数中",
    ),
    "form.alias": titled(
        400,
        "A field's name differs from one read here only in ways that some readers ignore",
        "有字段名与此处读取的字段名过于相近，部分程序会视为同名",
    ),
    "form.name": titled(
        400,
        "A field's name holds quotes, a semicolon or controls, which readers take differently",
        "字段名含有引号、分号或控制字符，不同程序的读法不一",
    ),
    # what stands where it is not read
    "text.elsewhere": titled(
        400,
        "A text that is judged stands in a kind of body from which it is not read here",
        "须经审核的文字出现在一种请求体中，而此处不从这种请求体读取文字",
    ),
    "body.ambiguous": titled(
        400,
        "The body reads as another kind than its Content-Type says, with a judged text in it",
        "请求体可按另一种类型读取，与其 Content-Type 不符，且其中含有须经审核的文字",
    ),
    # the judged text
    "text.missing": titled(400, "The text is missing", "缺少文字内容"),
    "text.not_string": titled(400, "The text is not a string", "文字内容不是字符串"),
    "text.empty": titled(400, "The text is empty", "文字内容为空"),
    "text.too_long": titled(413, "The text is too long", "文字内容过长"),
    # who and where
    "sender.missing": Meaning(
        403,
        {"en": ("The request does not say who sends", "Log in first."), "zh": ("无法确认发送者", "请先登录。")},
    ),
    "sender.twice": titled(400, "The request names its sender more than once", "请求中的发送者信息重复"),
    "sender.malformed": titled(
        400,
        "The sender's name holds characters that are not allowed, or is too long",
        "发送者名称过长，或含有不允许的字符",
    ),
    "sender.untrusted": titled(
        403, "The sender was named by a peer that may not vouch for senders", "发送者信息来自无权代为确认的一方"
    ),
    "sender.unknown": Meaning(
        401,
        {
            "en": ("The platform does not know who sends", "Log in first."),
            "zh": ("平台无法确认发送者", "请先登录。"),
        },
    ),
    "sender.unavailable": Meaning(
        503,
        {
            "en": ("The platform could not be asked who sends", "Nothing was published; try again."),
            "zh": ("目前无法向平台确认发送者", "内容未发布，请稍后再试。"),
        },
    ),
    "room.missing": titled(400, "The request does not say where the message belongs", "请求没有说明消息发往何处"),
    "room.twice": titled(400, "The request names its room more than once", "请求中的房间信息重复"),
    "room.malformed": titled(
        400, "The room's name holds characters that are not allowed, or is too long", "房间名称过长，或含有不允许的字符"
    ),
    "fact.twice": titled(400, "A fact about the sender was given more than once", "有关发送者的信息重复"),
    "fact.malformed": titled(
        400, "A fact about the sender or the message is not written as it should be", "有关发送者或消息的信息格式不正确"
    ),
    "jwt.missing": titled(401, "A token is needed", "需要提供令牌"),
    "jwt.invalid": titled(401, "The token is not valid", "令牌无效"),
    "jwt.expired": titled(401, "The token has expired", "令牌已过期"),
    # frames
    "frame.type": titled(
        400,
        "A text frame was expected and a binary one came, or the other way round",
        "帧的类型有误：文本帧与二进制帧不能互换",
    ),
    "frame.unknown": titled(400, "The message is of no kind that is known here", "无法识别该消息的类型"),
    "frame.malformed": titled(
        400, "The packets in the frame are not framed as they should be", "帧内数据包的格式不正确"
    ),
    "frame.too_many": titled(413, "The frame holds too many packets", "帧内数据包过多"),
}

# RFC 9110, section 15.5.2: a 401 carries a challenge; the error codes are those of RFC 6750, section 3.1.
CHALLENGES: dict[str, bytes] = {
    "sender.unknown": b"Bearer",
    "jwt.missing": b"Bearer",
    "jwt.invalid": b'Bearer error="invalid_token"',
    "jwt.expired": b'Bearer error="invalid_token"',
}


class Refused(TidegateError):
    """The body cannot be judged, for the named reason of REASONS."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
