"""Names and labels of the pages, in both languages."""

from __future__ import annotations

from loadtest.judging.sentence import Sentence
from loadtest.measuring.probe import MACHINE

SECONDS = Sentence("seconds of the run", "运行时间（秒）")
OFFERED = Sentence("planned", "计划发送")

VERDICTS = {
    "pass": Sentence("passed", "通过"),
    "mask": Sentence("masked", "掩盖敏感词后通过"),
    "limit": Sentence("refused: limit", "拒绝：频率限制"),
    "keyword": Sentence("refused: keyword", "拒绝：关键词"),
    "repeat": Sentence("refused: repeat", "拒绝：重复"),
    "identity": Sentence("refused: identity", "拒绝：身份"),
    "block": Sentence("refused: block", "拒绝：封禁"),
}
"""What verdicts are drawn as, in the order of their areas: by the first part of a refusal's reason."""
OTHER_VERDICTS = "other"

GROUPS = {
    "gateway": Sentence("gateway (workers)", "网关（worker）"),
    "state": Sentence("state server", "状态服务"),
    "other": Sentence("the node's other processes", "节点的其他进程"),
    "platform": Sentence("platform", "平台"),
    "load": Sentence("Locust", "Locust"),
    MACHINE: Sentence("the machine: all its processors were busy, with whatever", "整机：所有处理器都已占满"),
}

STATES = {
    "kept": Sentence("kept", "达标"),
    "missed": Sentence("missed", "未达标"),
    "not measured": Sentence("not measured", "未测得"),
}

WHY_NOT_ZH = {
    "check p99": "没有读到 tidegate_check_seconds（--control），或其中没有计数",
    "added p99": "无从比较：两条路径没有都送达消息，或直连平台时负载自身停顿",
    "answer p99": "没有送达任何消息",
    "error rate": "没有任何答复",
}

LABELS = {
    "objective": Sentence("objective", "目标"),
    "state": Sentence("state", "结果"),
    "measured": Sentence("measured", "实测"),
    "asked": Sentence("asked for", "要求"),
    "judged": Sentence("judged", "判定"),
    "delivered": Sentence("delivered", "送达"),
    "unavailable": Sentence("503: out of order, no verdict", "503：服务不可用，没有判定"),
    "broken": Sentence("other errors", "其他错误"),
    "other": Sentence("refused: other", "拒绝：其他"),
    "request": Sentence("request", "请求"),
    "answers": Sentence("answers", "答复数"),
    "verdict": Sentence("verdict", "判定"),
    "messages": Sentence("messages", "消息数"),
    "fault": Sentence("fault", "故障"),
    "told": Sentence("told", "内容"),
    "count": Sentence("count", "次数"),
    "yes": Sentence("yes", "是"),
    "no": Sentence("no", "否"),
    "step": Sentence("step", "级"),
    "users": Sentence("users", "用户数"),
    "offered": Sentence("offered/s", "每秒发送"),
    "answered": Sentence("judged/s", "每秒判定"),
    "kept up": Sentence("kept up", "跟上负载"),
    "over offered": Sentence("over messages a second offered", "横轴：每秒发送消息数"),
    "suite": Sentence("suite", "场景"),
    "shape": Sentence("shape", "人数曲线"),
    "rate": Sentence("messages/s with all users there", "全员在线时每秒消息数"),
    "seconds": Sentence("seconds", "时长（秒）"),
    "senders": Sentence("accounts", "账号数"),
    "seed": Sentence("seed", "随机种子"),
    "processes": Sentence("load processes", "负载进程数"),
    "target": Sentence("target", "被测对象"),
    "value": Sentence("value", "值"),
    "meaning": Sentence("meaning", "含义"),
    "machine": Sentence("machine", "机器"),
}

COST = {
    "unknown": Sentence(
        "Not measured: the gateway's processes are not on this machine, or --data-dir was not given.",
        "未测得：网关进程不在本机，或没有给出 --data-dir。",
    ),
    "processes": Sentence("processes", "进程"),
    "each": Sentence("CPU µs a message", "每条消息 CPU 微秒"),
    "busiest": Sentence("busiest second, of a processor each", "最忙一秒（占单个处理器）"),
    "by state": Sentence(", where the state server's one thread is the limit", "（受限于状态服务的单线程）"),
}

METHOD = Sentence(
    "Each person's messages are due at times that do not depend on the answers (a Poisson process, in waves where the "
    "suite has them); who was kept waiting writes at once. Times run from sending to the whole answer, as Locust's "
    "process sees them: they hold its own waiting for a processor. Objectives are weighed behind the first second; in "
    "steps up to 70 % of saturation. Straight at the platform means the same people, shape and rate without the "
    "gateway, before. CPU time is the kernel's, of the processes named; a message on a socket costs what it takes to "
    "show it to everybody in its room. An answer with a verdict that its message must not get is a wrong verdict, "
    "whatever its status; an answer that says that something is out of order (503) decides nothing, and is an error.",
    "每个人何时发言与答复快慢无关（泊松过程，部分场景带有波峰）；被耽搁的人收到答复后立即续发。耗时从发出算到收完答复，"
    "以 Locust 进程所见为准，包含它自身等待处理器的时间。目标从第二秒起衡量；阶梯测试只衡量到饱和点的 70%。"
    "“直连平台”指此前以同样的人、曲线和速率绕过网关所测。CPU 时间取自内核，仅计所列进程；长连接上一条消息的开销"
    "包含把它送到房间内每个人。消息得到不该有的判定即为错误判定，与状态码无关；表示服务不可用的答复（503）没有作出判定，"
    "计为错误。",
)
