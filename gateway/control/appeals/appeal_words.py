"""What appellants are told, in each language: the words of the page, of an appeal's states and of what follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from filters.model.meaning import CHINESE, ENGLISH

STATES: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    ENGLISH: {
        "explained": (
            "Explained",
            "This ends by itself, and no opinion on what you wrote stands behind it: you may send it again. If it was "
            "wrong all the same, ask for a person.",
        ),
        "waiting": ("Waiting for a person", "Somebody who had no part in the decision will look at it."),
        "overdue": (
            "Waiting longer than promised",
            "We are late. Nothing is rejected for that, and whoever leads the work has been told.",
        ),
        "upheld": ("Upheld: you were right", ""),
        "partly": ("Upheld in part", ""),
        "rejected": ("Rejected", ""),
        "withdrawn": ("Withdrawn", "You took the appeal back."),
    },
    CHINESE: {
        "explained": (
            "已说明",
            "该限制会自行解除，与您发布的内容无关，您可以重新发送。如您仍认为有误，可以要求人工处理。",
        ),
        "waiting": ("等待人工处理", "将由未参与原处置决定的人员复核。"),
        "overdue": ("已超过承诺期限", "处理已逾期，申诉不会因此被驳回，负责人已收到提醒。"),
        "upheld": ("申诉成立", ""),
        "partly": ("申诉部分成立", ""),
        "rejected": ("申诉不成立", ""),
        "withdrawn": ("已撤回", "您已撤回该申诉。"),
    },
}
"""By state: what it is called, and what it means."""

REDRESS: Final[Mapping[str, Mapping[str, str]]] = {
    ENGLISH: {
        "ticket": "You may now send the same text again in the same place, letter by letter: once, within seven days, "
        "its words count no more.",
        "restored": "Your message is being published again.",
        "none": "The decision is corrected on record. It cannot be published from here: please send it again.",
    },
    CHINESE: {
        "ticket": "审核已通过：七日内您可以在原处重新发送相同的内容（须一字不差），其用词不再被拦截，限一次。",
        "restored": "您的内容正在恢复发布。",
        "none": "该处置决定已更正并留存记录。系统无法代为发布，请您重新发送。",
    },
}

PAGE: Final[Mapping[str, Mapping[str, str]]] = {
    ENGLISH: {
        "title": "Appeal",
        "intro": "Were you refused, and was that wrong? Somebody who had no part in it looks at it again. You need no "
        "account, only the code that you were told.",
        "code": "Code",
        "code_hint": "ten characters; case, hyphens and spaces do not matter",
        "message_id": "Message id",
        "message_id_hint": "only where you are asked for it",
        "statement": "Why was it wrong?",
        "text": "The text, as you sent it",
        "text_hint": "It was not kept: it is compared with its fingerprint, and gone once the appeal is decided.",
        "send": "File the appeal",
        "look": "Show",
        "insist": "I want a person to look at it",
        "withdraw": "Withdraw the appeal",
        "decision": "What was decided",
        "ground": "Ground",
        "when": "When",
        "state": "Your appeal",
        "filed": "Filed",
        "until": "You will be answered by",
        "file_until": "You can appeal until",
        "answer": "Reasons",
        "same_person": "There was nobody else: whoever decided this had a part in the first decision.",
        "keep": "Keep the code: it is how you come back here.",
        "other": "中文",
        "again": "Another code",
    },
    CHINESE: {
        "title": "申诉",
        "intro": "您的内容未能发布，而您认为有误？将由未参与该决定的人员复核。无需登录，只需填写您收到的申诉编号。",
        "code": "申诉编号",
        "code_hint": "共十位，不区分大小写，连字符和空格可省略",
        "message_id": "消息编号",
        "message_id_hint": "仅在提示需要时填写",
        "statement": "申诉理由",
        "text": "您发送的原文",
        "text_hint": "系统未留存原文：所填内容仅用于与其指纹核对，申诉办结后即删除。",
        "send": "提交申诉",
        "look": "查看",
        "insist": "要求人工处理",
        "withdraw": "撤回申诉",
        "decision": "处置决定",
        "ground": "处置依据",
        "when": "时间",
        "state": "申诉状态",
        "filed": "提交时间",
        "until": "答复期限",
        "file_until": "申诉期限",
        "answer": "处理理由",
        "same_person": "因没有其他人员可以处理，本次复核人员参与过原处置决定。",
        "keep": "请保存申诉编号，凭编号可随时查询。",
        "other": "English",
        "again": "查询其他编号",
    },
}
