"""What the boards show: each panel with what it asks Prometheus, and in both languages its title and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Said = Mapping[Literal["en", "zh"], str]
Kind = Literal["timeseries", "stat", "table"]


class Panel(NamedTuple):
    """``asks``: expressions with the legend of their series. ``width`` in columns of 24. ``unit`` as Grafana names it.
    ``bad``: from here on it is red; below it, where ``well_from`` says so."""

    title: Said
    meaning: Said
    asks: Mapping[str, str]
    unit: str = "short"
    width: int = 8
    kind: Kind = "timeseries"
    stacked: bool = False
    bad: float | None = None
    well_from: bool = False


class Board(NamedTuple):
    """``variables``: what a person chooses by, with the question for its values."""

    name: str
    title: Said
    variables: Mapping[str, str]
    panels: tuple[Panel, ...]


def said(en: str, zh: str) -> Said:
    """A text in both languages."""
    return {"en": en, "zh": zh}


NODE: Final = {"instance": "label_values(tidegate_build_info, instance)"}
ROUTE: Final = {"route": "label_values(tidegate_relayed_requests_total, route)"}
I: Final = 'instance=~"$instance"'  # noqa: E741  # stands in nearly every expression
IR: Final = f'{I}, route=~"$route|"'


def quantile(of: float, metric: str, by: str = "le") -> str:
    """Of a histogram of seconds, over all chosen nodes."""
    return f"histogram_quantile({of}, sum by ({by}) (rate({metric}_bucket{{{I}}}[$__rate_interval])))"


def rate(metric: str, by: str, chosen: str = I) -> str:
    """Events a second by these labels."""
    return f"sum by ({by}) (rate({metric}{{{chosen}}}[$__rate_interval]))"


TRAFFIC: Final = Board(
    "traffic",
    said("Tidegate: traffic and verdicts", "Tidegate：流量与判定"),
    NODE | ROUTE,
    (
        Panel(
            said("Messages by verdict", "消息数（按判定结果）"),
            said("Judged messages a second.", "每秒判定的消息数。"),
            {rate("tidegate_messages_total", "verdict", IR): "{{verdict}}"},
            "short", 12, stacked=True,
        ),
        Panel(
            said("Share refused", "拒绝占比"),
            said(
                "Of all judged messages; a jump means an attack, or a list or rule gone wrong.",
                "占全部已判定消息的比例；突然升高意味着遭到攻击，或词表、规则有误。",
            ),
            {
                f'sum by (instance) (rate(tidegate_messages_total{{{IR}, verdict="reject"}}[$__rate_interval]))'
                f" / sum by (instance) (rate(tidegate_messages_total{{{IR}}}[$__rate_interval]))": "{{instance}}"
            },
            "percentunit", 12, bad=0.6,
        ),
        Panel(
            said("Refused, masked and labelled: why", "拒绝、打码与标记的原因"),
            said("The ten most frequent leading reasons.", "最常见的十种主要原因。"),
            {
                f'topk(10, sum by (verdict, reason) (rate(tidegate_messages_total{{{IR}, verdict!="pass"}}[$__rate_interval])))': "{{verdict}} {{reason}}"
            },
        ),
        Panel(
            said("Messages by route", "消息数（按路由）"),
            said("Judged messages a second.", "每秒判定的消息数。"),
            {rate("tidegate_messages_total", "route", IR): "{{route}}"},
            stacked=True,
        ),
        Panel(
            said("Refused before judging", "判定前即被拒绝"),
            said("Requests that were never decoded to a message, by reason code.", "未能解析为消息的请求，按原因代码。"),
            {rate("tidegate_refused_requests_total", "reason", IR): "{{reason}}"},
        ),
        Panel(
            said("Relayed, judged by nobody", "直接转发、不经判定"),
            said("Requests a second by class of status; gone: the client had left.", "每秒请求数，按状态码类别；gone：客户端已离开。"),
            {rate("tidegate_relayed_requests_total", "status", IR): "{{status}}"},
            stacked=True,
        ),
        Panel(
            said("Connections and sockets", "连接与 WebSocket"),
            said("Open ones of clients, and to the platform.", "客户端的打开数，以及到平台的连接数。"),
            {
                f"sum(tidegate_connections{{{I}}})": "connections",
                f"sum(tidegate_sockets{{{I}}})": "sockets",
                f"sum(tidegate_upstream_connections{{{I}}})": "upstream",
            },
        ),
        Panel(
            said("Sockets that the gateway ended", "网关关闭的 WebSocket"),
            said("By reason code.", "按原因代码。"),
            {rate("tidegate_socket_ends_total", "reason", IR): "{{reason}}"},
        ),
        Panel(
            said("The platform's time", "平台响应时间"),
            said("From forwarding to the end of its answer, judged routes.", "从转发到响应结束，仅限须审核的路由。"),
            {
                quantile(0.5, "tidegate_upstream_seconds", "upstream, le"): "{{upstream}} p50",
                quantile(0.99, "tidegate_upstream_seconds", "upstream, le"): "{{upstream}} p99",
            },
            "s",
        ),
        Panel(
            said("Failures of the platform's servers", "平台服务器故障"),
            said("Calls a second that failed, by server and reason.", "每秒失败的调用数，按服务器与原因。"),
            {rate("tidegate_upstream_failures_total", "upstream, server, reason"): "{{upstream}} {{server}} {{reason}}"},
        ),
        Panel(
            said("Servers that get nothing", "已停止转发的服务器"),
            said("Workers that hold this server for ill.", "认为该服务器异常的工作进程数。"),
            {f"sum by (instance, upstream, server) (tidegate_upstream_server_out{{{I}}})": "{{instance}} {{upstream}} {{server}}"},
            bad=1,
        ),
        Panel(
            said("Takedowns", "停止传输、消除"),
            said("By what became of them; an unconfirmed one needs a person.", "按处理状态；未确认（unconfirmed）的需要人工处理。"),
            {f"sum by (state) (tidegate_takedowns{{{I}}})": "{{state}}"},
        ),
        Panel(
            said("Deletions seen", "观察到的删除"),
            said(
                "On removal routes; unnamed: to no message that we know.",
                "删除路由上的删除；unnamed：无法对应到已知消息。",
            ),
            {rate("tidegate_removals_seen_total", "route, how", IR): "{{route}} {{how}}"},
        ),
        Panel(
            said("Waits for a turn", "等待轮次"),
            said(
                "Times a second that an address had had its share of a turn: floods are held to it.",
                "每秒因同一地址用完本轮份额而等待的次数：洪泛流量由此受限。",
            ),
            {rate("tidegate_turn_waits_total", "instance"): "{{instance}}"},
        ),
    ),
)  # fmt: skip

CHECK: Final = Board(
    "check",
    said("Tidegate: check time and state", "Tidegate：判定耗时与状态"),
    NODE,
    (
        Panel(
            said("Ready", "就绪"),
            said("Checks of /readyz: 1 is well.", "/readyz 的各项检查：1 为正常。"),
            {f"min by (check) (tidegate_ready{{{I}}})": "{{check}}"},
            kind="stat", bad=1, well_from=True,
        ),
        Panel(
            said("Workers that answer", "应答的工作进程"),
            said("By node.", "按节点。"),
            {f"tidegate_workers{{{I}}}": "{{instance}}"},
            kind="stat", width=4, bad=1, well_from=True,
        ),
        Panel(
            said("Last reload", "最近一次重新加载"),
            said("1: went well. 0: refused, and the configuration before it is in force.", "1：成功。0：被拒绝，仍使用之前的配置。"),
            {f"tidegate_config_last_reload_successful{{{I}}}": "{{instance}}"},
            kind="stat", width=4, bad=1, well_from=True,
        ),
        Panel(
            said("Builds", "构建版本"),
            said("Version, Python, and how the hot path runs; the generation in force.", "版本、Python 及热路径的运行方式；当前配置代次。"),
            {
                f"tidegate_build_info{{{I}}} * on (instance) group_left () tidegate_config_generation{{{I}}}": "",
            },
            kind="table",
        ),
        Panel(
            said("Check time", "判定耗时"),
            said("From decoding to verdict; aimed at 1 ms for 99 of 100.", "从解析到得出判定；目标是 99% 在 1 毫秒以内。"),
            {
                quantile(0.5, "tidegate_check_seconds"): "p50",
                quantile(0.95, "tidegate_check_seconds"): "p95",
                quantile(0.99, "tidegate_check_seconds"): "p99",
            },
            "s", 12, bad=0.015,
        ),
        Panel(
            said("Share above 1 ms", "超过 1 毫秒的占比"),
            said("Of all checks.", "占全部判定的比例。"),
            {
                f'1 - sum by (instance) (rate(tidegate_check_seconds_bucket{{{I}, le="0.001"}}[$__rate_interval]))'
                f" / sum by (instance) (rate(tidegate_check_seconds_count{{{I}}}[$__rate_interval]))": "{{instance}}"
            },
            "percentunit", 12,
        ),
        Panel(
            said("State's time", "状态查询耗时"),
            said("From the call to its answer; the deadline is 20 ms unless configured.", "从发出查询到得到应答；默认期限 20 毫秒。"),
            {quantile(0.5, "tidegate_state_seconds"): "p50", quantile(0.99, "tidegate_state_seconds"): "p99"},
            "s", bad=0.01,
        ),
        Panel(
            said("Messages in a call to state", "每次状态查询的消息数"),
            said("On average; 32 at most.", "平均值；最多 32 条。"),
            {
                f"sum(rate(tidegate_state_batch_size_sum{{{I}}}[$__rate_interval]))"
                f" / sum(rate(tidegate_state_batch_size_count{{{I}}}[$__rate_interval]))": "messages"
            },
        ),
        Panel(
            said("Checks that could not decide", "未能作出的检查"),
            said(
                "By cause, whatever on_error made of it; local, snapshot and recent were decided by what a worker knew.",
                "按原因，不论 on_error 如何处理；local、snapshot、recent 由工作进程已知信息作出判断。",
            ),
            {rate("tidegate_degraded_total", "cause"): "{{cause}}"},
        ),
        Panel(
            said("State not asked", "无法访问状态"),
            said("Workers that cannot ask state; servers of state that are left alone for a while.", "无法访问状态的工作进程；暂停访问的状态服务器。"),
            {
                f"sum by (instance) (tidegate_state_away{{{I}}})": "{{instance}} away",
                f"sum by (instance) (tidegate_state_breaker_open{{{I}}})": "{{instance}} breaker",
            },
            bad=1,
        ),
        Panel(
            said("Lost by state, and evicted", "状态丢失与驱逐"),
            said("What control wrote anew, by table; keys that the server threw away.", "管理进程重新写入的数据（按表）；服务器驱逐的键。"),
            {
                f"sum by (table) (tidegate_state_mended_total{{{I}}})": "{{table}}",
                f"max(tidegate_state_evicted_keys{{{I}}})": "evicted",
            },
        ),
        Panel(
            said("Acts", "处置操作"),
            said("A second, by kind; the age of the oldest that is not in force yet.", "每秒数量（按种类）；尚未生效的最早一项的时长（秒）。"),
            {
                rate("tidegate_acts_total", "kind"): "{{kind}}",
                f"max(tidegate_outbox_age_seconds{{{I}}})": "oldest waiting, s",
                f"max(tidegate_outbox_waiting{{{I}}})": "waiting",
                f"1 - min(tidegate_database_up{{{I}}})": "database away",
            },
        ),
        Panel(
            said("Queueing", "排队时间"),
            said("What was admitted waited in the last tenth of a second; the worst worker.", "最近 0.1 秒内已接收请求的平均等待；取最差的工作进程。"),
            {f"tidegate_queueing_seconds{{{I}}}": "{{instance}}"},
            "s",
        ),
        Panel(
            said("Processors", "处理器"),
            said("Of each process; 1 is a whole one, and a worker can use no more.", "各进程的占用；1 为一个完整处理器，工作进程不可能超过 1。"),
            {f"sum by (instance, process) (rate(tidegate_process_cpu_seconds_total{{{I}}}[$__rate_interval]))": "{{instance}} {{process}}"},
            bad=0.9,
        ),
        Panel(
            said("Memory", "内存"),
            said("Resident, by process.", "常驻内存，按进程。"),
            {f"tidegate_process_resident_memory_bytes{{{I}}}": "{{instance}} {{process}}"},
            "bytes",
        ),
        Panel(
            said("File descriptors", "文件描述符"),
            said("Open, of what a process may have open.", "已打开数占上限的比例。"),
            {f"tidegate_process_open_fds{{{I}}} / tidegate_process_max_fds{{{I}}}": "{{instance}} {{process}}"},
            "percentunit", bad=0.8,
        ),
        Panel(
            said("Deaths of processes", "进程退出"),
            said("In the last hour.", "最近一小时内。"),
            {f"increase(tidegate_process_restarts_total{{{I}}}[1h])": "{{instance}} {{process}}"},
            bad=3,
        ),
        Panel(
            said("How long processes run", "进程运行时长"),
            said("Since they were started.", "自启动以来。"),
            {f"time() - tidegate_process_start_time_seconds{{{I}}}": "{{instance}} {{process}}"},
            "s",
        ),
        Panel(
            said("Certificate", "证书"),
            said("Until the first one that clients are shown expires; none without TLS.", "距最早到期的对外证书到期的时间；未启用 TLS 时为空。"),
            {f"(tidegate_certificate_expiry_seconds{{{I}}} > 0) - time()": "{{instance}}"},
            "s", kind="stat", bad=14 * 86_400, well_from=True,
        ),
        Panel(
            said("Reloads", "重新加载"),
            said("Since the node started, by result; the time since the configuration was swapped to.", "自节点启动以来（按结果）；当前配置生效至今的秒数。"),
            {
                f"sum by (instance, result) (tidegate_config_reloads_total{{{I}}})": "{{instance}} {{result}}",
                f"time() - tidegate_config_last_reload_success_timestamp_seconds{{{I}}}": "{{instance}} in force, s",
            },
            kind="stat",
        ),
        Panel(
            said("Switches", "紧急开关"),
            said("Version of the snapshot of switches: it rises with each.", "开关快照的版本：每次变更递增。"),
            {f"tidegate_snapshot_version{{{I}}}": "{{instance}}"},
        ),
    ),
)  # fmt: skip

JOURNAL: Final = Board(
    "journal",
    said("Tidegate: journal and mirror", "Tidegate：日志与静态版"),
    NODE,
    (
        Panel(
            said("Room on the journal's disk", "日志磁盘剩余空间"),
            said("Below low_disk it is told, below full_disk the node stands back.", "低于 low_disk 时告警，低于 full_disk 时节点退出服务。"),
            {
                f"tidegate_journal_free_bytes{{{I}}}": "{{instance}}",
                f"max by (setting) (tidegate_journal_bound_bytes{{{I}}})": "{{setting}}",
            },
            "bytes", 12,
        ),
        Panel(
            said("Refused for want of a record", "因无法留存记录而拒绝"),
            said("Judged requests a second that were answered 503.", "每秒以 503 应答的须审核请求。"),
            {f'sum by (instance, reason) (rate(tidegate_refused_requests_total{{{I}, reason="journal.unavailable"}}[$__rate_interval]))': "{{instance}}"},
            "short", 12,
        ),
        Panel(
            said("One append", "一次写入"),
            said("To the journal; above journal.slow_write three times in 256 writing moves to a thread.", "写入日志；256 次中有三次超过 journal.slow_write 时改由线程写入。"),
            {
                quantile(0.5, "tidegate_journal_append_seconds"): "p50",
                quantile(0.99, "tidegate_journal_append_seconds"): "p99",
            },
            "s",
        ),
        Panel(
            said("Appends", "写入次数"),
            said("A second; each holds the records of one turn of a worker's loop.", "每秒次数；每次包含工作进程一轮循环的全部记录。"),
            {rate("tidegate_journal_append_seconds_count", "instance"): "{{instance}}"},
        ),
        Panel(
            said("Oldest record not yet written", "最早的未写入记录"),
            said("The worst worker; answers wait as long.", "取最差的工作进程；应答同样等待。"),
            {f"tidegate_journal_lag_seconds{{{I}}}": "{{instance}}"},
            "s", bad=1,
        ),
        Panel(
            said("Segments given up", "放弃的日志段"),
            said("By cause. Removed, replaced, truncated: records are missing.", "按原因。removed、replaced、truncated：记录已缺失。"),
            {f"sum by (instance, cause) (tidegate_journal_segments_left_total{{{I}}})": "{{instance}} {{cause}}"},
            bad=1,
        ),
        Panel(
            said("After crashes", "异常中止之后"),
            said("Stops without order, and messages of which nobody knows what became.", "非正常停止次数，以及结果无从得知的消息数。"),
            {
                f"tidegate_journal_unclean_total{{{I}}}": "{{instance}} unclean",
                f"tidegate_journal_unknown_total{{{I}}}": "{{instance}} unknown",
            },
        ),
        Panel(
            said("The clock", "系统时间"),
            said("Times that it was set, and by how much in all.", "被调整的次数与累计幅度（秒）。"),
            {
                f"tidegate_clock_leaps_total{{{I}}}": "{{instance}} leaps",
                f"tidegate_clock_set_seconds{{{I}}}": "{{instance}} set, s",
            },
        ),
        Panel(
            said("Access lines dropped", "丢弃的访问日志行"),
            said("A second.", "每秒。"),
            {rate("tidegate_access_lines_dropped_total", "instance"): "{{instance}}"},
        ),
        Panel(
            said("Age of the static version", "静态版滞后"),
            said("Past mirror.max_lag bullets are refused.", "超过 mirror.max_lag 即拒绝弹幕。"),
            {
                f"tidegate_mirror_lag_seconds{{{I}}}": "{{instance}}",
                f"max(tidegate_mirror_max_lag_seconds{{{I}}})": "mirror.max_lag",
            },
            "s", 12,
        ),
        Panel(
            said("Bullets and pages", "弹幕与静态页"),
            said("Bullets that came onto a page, and pages that became complete, a second.", "每秒进入静态页的弹幕，以及每秒写满的静态页。"),
            {rate("tidegate_mirror_bullets_total", "instance"): "{{instance}} bullets", rate("tidegate_mirror_pages_total", "instance"): "{{instance}} pages"},
            "short", 12,
        ),
        Panel(
            said("Bullets without an outcome", "结果未知的弹幕"),
            said("They wait for it; 200,000 at most.", "等待结果；最多 20 万条。"),
            {f"tidegate_mirror_waiting{{{I}}}": "{{instance}}"},
        ),
        Panel(
            said("Rooms in memory", "内存中的房间"),
            said("4,096 at most.", "最多 4096 个。"),
            {f"tidegate_mirror_rooms{{{I}}}": "{{instance}}"},
        ),
        Panel(
            said("Failures of the projector", "静态版进程故障"),
            said("Turns that failed and were tried again, by cause; the folder made anew.", "失败并重试的轮次（按原因）；重建次数。"),
            {
                rate("tidegate_mirror_failures_total", "cause"): "{{cause}}",
                f"sum(increase(tidegate_mirror_rebuilds_total{{{I}}}[$__rate_interval]))": "rebuilt",
            },
        ),
        Panel(
            said("Flaws", "缺陷"),
            said("Lines of the journal that are none; ids that two bullets have, or that a page lacks.", "无法读取的日志行；两条弹幕共用或静态页缺失的编号。"),
            {
                f"tidegate_mirror_flaws_total{{{I}}}": "{{instance}} flaws",
                f"tidegate_mirror_twice_total{{{I}}}": "{{instance}} twice",
            },
            bad=1,
        ),
        Panel(
            said("Is the list in the platform's page?", "平台页面中是否含有静态版"),
            said("Probes by result; only contained is well.", "探测结果；仅 contained 为正常。"),
            {f"sum by (route, result) (tidegate_mirror_probes_total{{{I}}})": "{{route}} {{result}}"},
        ),
        Panel(
            said("Purges", "缓存刷新"),
            said("Told to the content network, by result.", "通知内容分发网络的结果。"),
            {rate("tidegate_mirror_purges_total", "result"): "{{result}}"},
        ),
    ),
)  # fmt: skip

BOARDS: Final = (TRAFFIC, CHECK, JOURNAL)
