"""What the gateway itself says to a sender, beside what the checks find and what HTTP and sockets refuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from filters.model.meaning import CHINESE, Meaning, titled

OWN: Final[Mapping[str, Meaning]] = {
    "keyword.urgent": Meaning(
        403,
        {
            "en": ("The text cannot be published now", "It holds words that are stopped at the moment."),
            "zh": ("该内容目前不能发布", "其中含有当前暂停发布的词语。"),
        },
    ),
    "switch.frozen": Meaning(
        403,
        {
            "en": ("This place is frozen", "Nobody can write here at the moment."),
            "zh": ("此处已暂停发布", "目前任何人都不能在此发布内容。"),
        },
    ),
    "incident.held": Meaning(
        403,
        {
            "en": ("Messages are reviewed first at the moment", "Yours appears once a person has read it."),
            "zh": ("目前内容须先经审核", "人工审核通过后即会发布。"),
        },
    ),
    "incident.unheld": Meaning(
        503,
        {
            "en": ("Nothing can be published here at the moment", "It would have to be reviewed first; try later."),
            "zh": ("此处暂时不能发布内容", "目前内容须先经审核，而此处无法审核，请稍后再试。"),
        },
    ),
    "incident.slow": Meaning(
        429,
        {
            "en": ("Messages are slowed down at the moment", "Wait a little before the next one."),
            "zh": ("目前限制发布频率", "请稍候再发下一条。"),
        },
    ),
    "incident.members": Meaning(
        403,
        {
            "en": ("Only some members can write at the moment", "Your account's level does not allow it for now."),
            "zh": ("目前仅部分用户可以发布", "您的信用等级暂不允许发布。"),
        },
    ),
    "incident.unavailable": Meaning(
        503,
        {
            "en": ("Only some can write, and it could not be checked who you are", "Try again in a moment."),
            "zh": ("目前仅部分用户可以发布，未能核实您的情况", "请稍后再试。"),
        },
    ),
    "copy.removed": Meaning(
        403,
        {
            "en": ("This was taken down", "The same text was removed; it cannot be published again now."),
            "zh": ("该内容已被删除", "相同的内容此前已被删除，目前不能再次发布。"),
        },
    ),
    "message.taken_down": Meaning(
        403,
        {
            "en": ("Your message was taken down", "It was published, and a person removed it afterwards."),
            "zh": ("您的内容已被删除", "该内容发布后被人工删除。"),
        },
    ),
    "batch.refused": Meaning(
        403,
        {
            "en": ("Another message of the same request was refused", "None was published; send this one by itself."),
            "zh": ("同一请求中的另一条消息未通过审核", "该请求中的消息均未发布，可将本条单独重新发送。"),
        },
    ),
    "batch.held": Meaning(
        403,
        {
            "en": ("A message of this request has to be reviewed first", "None was published; send each by itself."),
            "zh": ("该请求中有内容须先经审核", "该请求中的消息均未发布，请逐条单独发送。"),
        },
    ),
    "review.waiting": Meaning(
        429,
        {
            "en": ("Too many of your messages wait for review", "Send this one once one of them is decided."),
            "zh": ("您待审核的内容过多", "请等其中一条审核完毕后再发送。"),
        },
    ),
    "review.full": Meaning(
        503,
        {
            "en": ("Too many messages wait for review", "Nothing was published; try again later."),
            "zh": ("待审核的内容过多", "本条未发布，请稍后再试。"),
        },
    ),
    "review.unanswered": Meaning(
        503,
        {
            "en": ("What became of the message cannot be told now", "It is not lost; ask again shortly."),
            "zh": ("目前无法查询审核结果", "内容并未丢失，请稍后再查询。"),
        },
    ),
    "delay.waiting": Meaning(
        429,
        {
            "en": ("Too many of your messages are on their way", "Send this one once one of them has appeared."),
            "zh": ("您延时发布中的内容过多", "请等其中一条显示后再发送。"),
        },
    ),
    "delay.full": Meaning(
        503,
        {
            "en": ("Too many messages are on their way", "Nothing was published; try again shortly."),
            "zh": ("延时发布中的内容过多", "本条未发布，请稍后再试。"),
        },
    ),
    "delay.refused": Meaning(
        403,
        {
            "en": ("Your message was not let through", "It was taken down before it appeared."),
            "zh": ("内容未予发布", "本条在延时期间已被删除。"),
        },
    ),
    "review.decided": Meaning(
        409,
        {
            "en": ("It is too late to withdraw the message", "What became of it is told at the same address."),
            "zh": ("已无法撤回该内容", "可通过同一地址查询处理结果。"),
        },
    ),
    "socket.muted": Meaning(
        429,
        {
            "en": ("You are muted here", "Too many of your messages were refused; wait a little."),
            "zh": ("您已被禁言", "您有多条消息被拒绝发布，请稍候再试。"),
        },
    ),
    "mirror.unavailable": Meaning(
        503,
        {
            "en": ("Bullets are paused", "Their static version cannot be kept now; try again."),
            "zh": ("弹幕暂停发布", "目前无法留存弹幕的静态版信息内容，请稍后再试。"),
        },
    ),
    "journal.unavailable": Meaning(
        503,
        {
            "en": ("Messages are paused", "They cannot be recorded now; try again."),
            "zh": ("消息暂停发布", "目前无法留存记录，请稍后再试。"),
        },
    ),
}
"""By reason code: what people have switched on, and what the gateway cannot do now."""

UNAVAILABLE: Final = Meaning(
    503,
    {
        "en": ("The message could not be checked", "A check was not available; try again."),
        "zh": ("该消息未能完成审核", "有一项检查暂时无法进行，请稍后再试。"),
    },
)
"""``CHECK.unavailable``, of every check."""

UNMUTED: Final = "socket.unmuted"
NOTICES: Final[Mapping[str, Meaning]] = {
    UNMUTED: titled(200, "You may write again", "您可以继续发言了"),
    "review.held": Meaning(
        202,
        {
            "en": ("Your message waits for review", "It appears once it is approved."),
            "zh": ("内容待审核", "审核通过后即会发布。"),
        },
    ),
    "review.delayed": Meaning(
        202,
        {
            "en": ("Your message appears in a moment", "Messages appear here with a delay."),
            "zh": ("内容延时发布", "此处的内容延时发布，稍后即会显示。"),
        },
    ),
    "review.passed": titled(200, "Your message was published", "内容已发布"),
    "review.failed": Meaning(
        200,
        {
            "en": ("Your message was not published", "It was lost on its way; you may send it again."),
            "zh": ("内容未能发布", "本条在途中丢失，您可以重新发送。"),
        },
    ),
    "review.approved": titled(200, "Your message was approved", "内容已通过审核"),
    "review.refused": titled(200, "Your message was not approved", "内容未通过审核"),
    "review.expired": Meaning(
        200,
        {
            "en": ("Nobody could review your message in time", "It was not published; you may send it again."),
            "zh": ("内容逾期未审", "本条未发布，您可以重新发送。"),
        },
    ),
    "review.withdrawn": titled(200, "You have withdrawn your message", "内容已撤回"),
    "review.void": titled(200, "Your message was not published, and waits no more", "内容不再等待审核，未发布"),
    "review.resend": Meaning(
        200,
        {
            "en": ("Your message was approved", "Send it once more to publish it."),
            "zh": ("审核已通过，内容待重发", "请重新发送一次以完成发布。"),
        },
    ),
}
"""What is told and refuses nothing. Its notice carries the reason that has ended."""

REPEATED: Final = "repeated refusals on this connection"
MIRROR: Final = "comment provisions 5(4): no bullet without its static version"
EMERGENCY: Final = "emergency response"
CAPPED: Final = "too many messages wait for their delay"

TERMS: Final[Mapping[str, Mapping[str, str]]] = {
    REPEATED: {CHINESE: "本次连接中的消息多次被拒绝发布"},
    MIRROR: {CHINESE: "《互联网跟帖评论服务管理规定》第五条第四项：弹幕须同时提供静态版信息内容"},
    EMERGENCY: {CHINESE: "应急处置"},
    CAPPED: {CHINESE: "延时发布中的内容过多"},
}
"""Grounds that the gateway itself rests on, in English and, by language, otherwise."""
