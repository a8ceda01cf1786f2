"""What the gateway says to somebody whose appeal it does not take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from filters.model.meaning import Meaning

REASONS: Final[Mapping[str, Meaning]] = {
    "appeal.unknown": Meaning(
        404,
        {
            "en": (
                "There is no decision with this code",
                "Compare it with what you were told; it has ten characters.",
            ),
            "zh": ("没有与该编号对应的处置决定", "请与您收到的提示核对，申诉编号共十位。"),
        },
    ),
    "appeal.ambiguous": Meaning(
        409,
        {
            "en": ("The code stands for several messages", "Give the message's id as well."),
            "zh": ("该编号对应多条消息", "请同时提供消息编号。"),
        },
    ),
    "appeal.undecided": Meaning(
        409,
        {
            "en": ("Nothing has been decided yet", "The message waits for a person; appeal once it was refused."),
            "zh": ("该消息尚未作出处置决定", "消息正在等待人工审核；如未通过，届时可以申诉。"),
        },
    ),
    "appeal.late": Meaning(
        410,
        {
            "en": (
                "The time to appeal is over",
                "Appeals against this decision are taken no more.",
            ),
            "zh": ("已超过申诉期限", "针对该处置决定的申诉受理期限已过。"),
        },
    ),
    "appeal.text_needed": Meaning(
        422,
        {
            "en": ("The text is needed", "It was not kept: enter it again as you sent it, or nobody can judge it."),
            "zh": ("需要您重新填写原文", "系统未留存原文，请按发送时的内容重新填写，否则无法复核。"),
        },
    ),
    "appeal.text_differs": Meaning(
        422,
        {
            "en": ("This is not the text that was refused", "Enter it as you sent it."),
            "zh": ("所填内容与当时的原文不一致", "请按发送时的内容填写。"),
        },
    ),
    "appeal.statement_missing": Meaning(
        422,
        {
            "en": ("Say why", "Write a sentence on why the decision was wrong."),
            "zh": ("请填写申诉理由", "请用一两句话说明您认为处置有误的原因。"),
        },
    ),
    "appeal.decided": Meaning(
        409,
        {
            "en": ("This is no longer possible", "Look at what became of the appeal."),
            "zh": ("当前状态下不能进行该操作", "请查看申诉的处理结果。"),
        },
    ),
    "appeal.too_many": Meaning(
        429,
        {
            "en": ("Too many questions at once", "Wait a little."),
            "zh": ("操作过于频繁", "请稍候再试。"),
        },
    ),
    "appeal.malformed": Meaning(
        400,
        {
            "en": ("The appeal cannot be read", "A field is missing, too long or not text."),
            "zh": ("无法读取提交的内容", "有字段缺失、过长或不是文本。"),
        },
    ),
    "appeal.unavailable": Meaning(
        503,
        {
            "en": ("Appeals are not taken just now", "Try again in a while; nothing is lost."),
            "zh": ("暂时无法受理申诉", "请稍后再试，申诉期限不受影响。"),
        },
    ),
}
"""By code: why an appeal is not taken, or not now."""
