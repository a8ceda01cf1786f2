"""What is counted: one table of metrics, and the cheap cells that a worker and the projector count in.

A worker counts in plain integers (``Counts``, ``Histogram``) and tells them as one JSON object when control asks
(command ``counters``); control adds the workers up and speaks Prometheus. Both sides read the same table, and a test
holds ``docs/metrics.md`` to it. No label carries a person, a room or a text (law 7).
"""

from __future__ import annotations

import os
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping
from math import inf
from typing import Any

from gateway.common.metric_tables.metric import Metric
from gateway.common.metric_tables.replicator_metrics import OF_REPLICATOR

SECONDS = (
    25e-6, 50e-6, 1e-4, 2e-4, 3e-4, 5e-4, 75e-5, 1e-3, 15e-4, 2e-3, 3e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.25, 0.5, 1.0,
    2.5, 5.0, 10.0, 30.0, 60.0,
)  # fmt: skip
SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)
MAX_SERIES = 4096  # of one metric in one worker; more label values than this are counted together as OTHER
OTHER = "other"
ALARMING = ("gateway.failure", "server.busy", "server.full")  # refusals that are told before there was one
ANSWERS = ("gone", "1xx", "2xx", "3xx", "4xx", "5xx")
NOTHING: Mapping[str, dict[str, Any]] = {}


# Told by each worker; control adds them up over the workers, the dead ones included.
OF_WORKERS = (
    Metric(
        "tidegate_messages_total",
        "counter",
        "Judged messages, by route, verdict (pass, mask, label, hold, reject) and leading reason code.",
        ("route", "verdict", "reason"),
    ),
    Metric(
        "tidegate_refused_requests_total",
        "counter",
        "Requests refused before they were decoded to a message, by route and reason code.",
        ("route", "reason"),
    ),
    Metric(
        "tidegate_relayed_requests_total",
        "counter",
        "Requests that were relayed and judged by nobody, handshakes of WebSockets among them, by route (empty where "
        "none matched) and class of status; gone: the client left before the answer.",
        ("route", "status"),
    ),
    Metric("tidegate_check_seconds", "histogram", "From decoding to verdict.", (), SECONDS),
    Metric(
        "tidegate_upstream_seconds",
        "histogram",
        "From forwarding to the end of the upstream's answer, judged routes.",
        ("upstream",),
        SECONDS,
    ),
    Metric("tidegate_state_batch_size", "histogram", "Messages asked of state in one call.", (), SIZES),
    Metric("tidegate_state_seconds", "histogram", "From the call to state to its answer.", (), SECONDS),
    Metric("tidegate_delayed_total", "counter", "Ends of messages with a delay; full: no room.", ("route", "became")),
    Metric("tidegate_delayed", "gauge", "Messages that wait for the delay of their route now."),
    Metric("tidegate_degraded_total", "counter", "Checks that could not decide, by cause; on_error aside.", ("cause",)),
    Metric(
        "tidegate_removals_seen_total",
        "counter",
        "Deletions by users and by the platform that were seen on removal routes, by whether the message was named.",
        ("route", "how"),
    ),
    Metric("tidegate_journal_append_seconds", "histogram", "One append to the journal.", (), SECONDS),
    Metric(
        "tidegate_turn_waits_total",
        "counter",
        "Times that a connection's work waited for the next turn, because its address had had its share of this one.",
    ),
    Metric(
        "tidegate_turn_holds_total",
        "counter",
        "Of those, connections that were not even read, because too many of their address's were in the same turn.",
    ),
    Metric(
        "tidegate_access_lines_dropped_total",
        "counter",
        "Lines of the access log that could not be written, or waited for a reader behind too many others; control's "
        "own included.",
    ),
    Metric("tidegate_journal_unknown_total", "counter", "Messages forwarded without an outcome, found after a crash."),
    Metric("tidegate_journal_unclean_total", "counter", "Stops that were not in order, found at the next start."),
    Metric(
        "tidegate_journal_segments_left_total",
        "counter",
        "Segments given up, by cause: write failed, sync failed, removed, replaced, truncated, read-only.",
        ("cause",),
    ),
    Metric(
        "tidegate_journal_lag_seconds",
        "gauge",
        "Age of the oldest record not yet written; the worst worker.",
        over_workers="max",
    ),
    Metric(
        "tidegate_queueing_seconds",
        "gauge",
        "What was admitted waited in the last tenth of a second, on average; the worst worker.",
        over_workers="max",
    ),
    Metric(
        "tidegate_certificate_expiry_seconds",
        "gauge",
        "When the first of the certificates that clients are shown expires, in seconds since 1970; 0 without TLS.",
        over_workers="min",
    ),
    Metric("tidegate_connections", "gauge", "Open connections of clients."),
    Metric("tidegate_sockets", "gauge", "Open WebSockets of clients; those are no more among the connections."),
    Metric(
        "tidegate_socket_ends_total",
        "counter",
        "WebSockets that the gateway ended, by route and reason code.",
        ("route", "reason"),
    ),
    Metric(
        "tidegate_sender_answers_total",
        "counter",
        "Times that what a platform had said of a sender was at hand: known, unknown, or bridged while it does not "
        "answer.",
        ("answer",),
    ),
    Metric(
        "tidegate_sender_questions_total",
        "counter",
        "Questions to platforms who somebody is, by outcome: known, unknown; or failed: status, garbage, unreachable, "
        "deadline, and busy, for which there was no room in time.",
        ("outcome",),
    ),
    Metric(
        "tidegate_sender_put_off_total",
        "counter",
        "Messages whose sender was not asked for, by the bound: address (questions of one client address), waiting.",
        ("cap",),
    ),
    Metric(
        "tidegate_sender_evictions_total",
        "counter",
        "Senders and unknown credentials that went for want of room, by segment: known, unknown.",
        ("segment",),
    ),
    Metric(
        "tidegate_log_outs_total",
        "counter",
        "Log-outs: seen by the worker that relays them, heard of from state, and times that some may have been missed.",
        ("how",),
    ),
    Metric("tidegate_senders_known", "gauge", "Senders that workers remember because a platform named them."),
    Metric("tidegate_sender_questions", "gauge", "Questions to platforms that have no answer yet."),
    Metric("tidegate_upstream_connections", "gauge", "Open connections to upstream servers."),
    Metric(
        "tidegate_upstream_failures_total",
        "counter",
        "Failures of upstream servers, by reason; the server as configured, empty where none had room for a call.",
        ("upstream", "server", "reason"),
    ),
    Metric(
        "tidegate_upstream_server_out",
        "gauge",
        "Workers that send this server nothing now, because its failures or its checks say that it is ill.",
        ("upstream", "server"),
    ),
    Metric(
        "tidegate_state_breaker_open",
        "gauge",
        "Servers of state that a worker does not ask now, because their answers did not come; over all workers.",
    ),
    Metric("tidegate_traces_lost_total", "counter", "Sampled requests and messages of which no spans could be kept."),
    Metric("tidegate_state_away", "gauge", "Workers that cannot ask state now, whatever the cause; see /readyz."),
)

# Told by the projector, where there is one.
OF_PROJECTOR = (
    Metric("tidegate_mirror_bullets_total", "counter", "Bullets that came onto a page of the static version."),
    Metric("tidegate_mirror_pages_total", "counter", "Pages of the static version that became complete."),
    Metric("tidegate_mirror_failures_total", "counter", "Turns of the projector that failed, by cause.", ("cause",)),
    Metric("tidegate_mirror_flaws_total", "counter", "Journal lines that the projector could not read."),
    Metric("tidegate_mirror_twice_total", "counter", "Ids that two bullets had, or that a page lacks; see verify."),
    Metric("tidegate_mirror_rebuilds_total", "counter", "Times the projector made its folder anew."),
    Metric("tidegate_mirror_purges_total", "counter", "Purges told to the content network, by result.", ("result",)),
    Metric(
        "tidegate_mirror_probes_total",
        "counter",
        "Probes of danmaku pages: is the list itself in them? By route and result.",
        ("route", "result"),
    ),
    Metric("tidegate_mirror_waiting", "gauge", "Bullets whose outcome is not known yet."),
    Metric("tidegate_mirror_rooms", "gauge", "Rooms that the projector holds in memory."),
)

# Known to control itself.
OF_CONTROL = (
    Metric("tidegate_ready", "gauge", "1 where this check of /readyz is well, 0 where it is not.", ("check",)),
    Metric("tidegate_workers", "gauge", "Workers that answered the last call."),
    Metric(
        "tidegate_build_info",
        "gauge",
        "Always 1. The version, its Python, and how the hot path runs: interpreted, compiled, stale or broken.",
        ("version", "python", "hot_path"),
    ),
    Metric("tidegate_config_generation", "gauge", "Number of the generation in force."),
    Metric(
        "tidegate_config_last_reload_successful",
        "gauge",
        "1 where the last reload, or the start, went well; 0 where it was refused, and the last good one is in force.",
    ),
    Metric(
        "tidegate_config_last_reload_success_timestamp_seconds",
        "gauge",
        "When the generation in force was swapped to, in seconds since 1970.",
    ),
    Metric("tidegate_config_reloads_total", "counter", "Reloads since the node started, by result.", ("result",)),
    Metric("tidegate_process_cpu_seconds_total", "counter", "Processor time of a process, all of it.", ("process",)),
    Metric("tidegate_process_resident_memory_bytes", "gauge", "Resident memory of a process.", ("process",)),
    Metric("tidegate_process_open_fds", "gauge", "Open file descriptors of a process.", ("process",)),
    Metric("tidegate_process_max_fds", "gauge", "File descriptors that a process may have open.", ("process",)),
    Metric("tidegate_process_start_time_seconds", "gauge", "When it started, in seconds since 1970.", ("process",)),
    Metric("tidegate_process_restarts_total", "counter", "Starts after a death, as told by its parent.", ("process",)),
    Metric("tidegate_database_up", "gauge", "0 while acts are refused for the control database's sake, else 1."),
    Metric("tidegate_acts_total", "counter", "Acts done since control started, by kind.", ("kind",)),
    Metric("tidegate_outbox_waiting", "gauge", "Acts not yet acknowledged by both journal and state."),
    Metric("tidegate_outbox_age_seconds", "gauge", "Age of the oldest act not yet acknowledged."),
    Metric(
        "tidegate_takedowns",
        "gauge",
        "Takedowns by what became of them (requested, confirmed, unconfirmed); an unconfirmed one needs a person.",
        ("state",),
    ),
    Metric("tidegate_cases", "gauge", "Cases that are open: waiting, claimed, decided and not in effect.", ("state",)),
    Metric("tidegate_cases_oldest_seconds", "gauge", "How long the first case of the queue waits; 0 where none does."),
    Metric("tidegate_cases_decided_total", "counter", "Decisions in effect since control began.", ("kind", "outcome")),
    Metric("tidegate_incidents", "gauge", "Incidents that stand."),
    Metric("tidegate_incident_held", "gauge", "Messages that incidents held, over or not, and that wait for a lead."),
    Metric(
        "tidegate_appeals",
        "gauge",
        "Appeals by state (explained, waiting, overdue, upheld, partly, rejected, withdrawn); the overdue need a lead.",
        ("state",),
    ),
    Metric("tidegate_appeals_same_person", "gauge", "Appeals decided by who had a part in it (appeals.same_person)."),
    Metric("tidegate_appeals_refused_total", "counter", "Appeals that were not taken, by reason code.", ("reason",)),
    Metric(
        "tidegate_appeals_oldest_seconds", "gauge", "How long the oldest appeal has waited that nobody has decided."
    ),
    Metric("tidegate_console_logins_total", "counter", "Log-ins at the console: done, wrong, waits.", ("outcome",)),
    Metric("tidegate_callbacks", "gauge", "Calls to receivers that wait, or are dead.", ("receiver", "state")),
    Metric("tidegate_callbacks_total", "counter", "Calls: sent, failed (a try), dead.", ("receiver", "result")),
    Metric("tidegate_callbacks_oldest_seconds", "gauge", "Age of what the oldest waiting call tells.", ("receiver",)),
    Metric("tidegate_held", "gauge", "Held messages by state; those that are unknown need a person.", ("state",)),
    Metric(
        "tidegate_state_mended_total",
        "counter",
        "What state had lost and control wrote anew: blocks, rooms, accounts, the snapshot.",
        ("table",),
    ),
    Metric(
        "tidegate_state_projected_again_total",
        "counter",
        "Fail-overs and restarts of the state server after which what it may have lost was written again.",
    ),
    Metric(
        "tidegate_state_unreplicated_acts_total",
        "counter",
        "Acts that were answered before any replica of the state server had them.",
    ),
    Metric("tidegate_state_evicted_keys", "gauge", "Keys that the state server has evicted, as it tells."),
    Metric("tidegate_clock_leaps_total", "counter", "Times that the time of day was set by two seconds or more."),
    Metric("tidegate_clock_set_seconds", "gauge", "How much that was in all since control's last life; below 0: back."),
    Metric("tidegate_clock_skew_seconds", "gauge", "This machine's clock ahead of the database's; below 0: behind."),
    Metric("tidegate_clock_skew_uncertainty_seconds", "gauge", "What that may be wrong by: half of a round trip."),
    Metric("tidegate_clock_max_skew_seconds", "gauge", "server.max_skew: what is beyond is told."),
    Metric("tidegate_snapshot_version", "gauge", "Version of the snapshot of switches last made."),
    Metric("tidegate_journal_free_bytes", "gauge", "Bytes free on the journal's disk."),
    Metric(
        "tidegate_journal_bound_bytes", "gauge", "Bytes that should be free there: low_disk, full_disk.", ("setting",)
    ),
    Metric("tidegate_index_up", "gauge", "1 while the index answers, and nothing keeps it from reading on."),
    Metric("tidegate_index_behind_bytes", "gauge", "Bytes of the journal that the index has not read yet."),
    Metric("tidegate_index_bytes", "gauge", "Bytes of the index's files."),
    Metric("tidegate_index_rebuilds_total", "counter", "Files of the index that could not be read and are made anew."),
    Metric("tidegate_mirror_max_lag_seconds", "gauge", "mirror.max_lag: past this age bullets are refused."),
    Metric("tidegate_spans_exported_total", "counter", "Spans that the receiver of traces has taken."),
    Metric("tidegate_spans_lost_total", "counter", "Spans lost, by cause: queue, refused, stopped.", ("cause",)),
    Metric("tidegate_spans_waiting", "gauge", "Spans that wait in control to be exported."),
    Metric("tidegate_mirror_lag_seconds", "gauge", "Age of the static version's watermark, as the workers read it."),
)

METRICS: dict[str, Metric] = {
    metric.name: metric for metric in (*OF_WORKERS, *OF_PROJECTOR, *OF_REPLICATOR, *OF_CONTROL)
}


class Count:
    """One series of a counter."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0


class Counts:
    """A counter by label values: ``counts.add(("comments", "reject", "keyword.match"))``. Lives in one event loop."""

    __slots__ = ("metric", "series")

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.series: dict[tuple[str, ...], Count] = {}

    def add(self, key: tuple[str, ...] = (), n: int = 1) -> None:
        """Count ``n`` more. ``key`` holds one value for each label, in the metric's order."""
        count = self.series.get(key) or self.of(key)
        count.value += n

    def of(self, key: tuple[str, ...]) -> Count:
        """The count of these label values, for whoever counts one series again and again."""
        if len(key) != len(self.metric.labels):
            raise ValueError(f"{self.metric.name} takes the labels {self.metric.labels}")
        if key not in self.series and len(self.series) >= MAX_SERIES:
            key = (OTHER,) * len(key)
        return self.series.setdefault(key, Count())

    @property
    def values(self) -> dict[tuple[str, ...], int]:
        """What was counted so far."""
        return {key: count.value for key, count in self.series.items()}

    def told(self) -> dict[str, Any]:
        """``{"series": [[[label values], count]]}``."""
        return {"series": [[list(key), count] for key, count in self.values.items()]}


def from_zero(before: tuple[str, ...], known: tuple[str, ...], counted: Mapping[str, int]) -> dict[str, Any]:
    """Series of a counter by its last label, those that are ``known`` from the start: of one that begins at 1
    nobody sees that it rose. ``before``: its labels before that one."""
    return {"series": [[[*before, name], counted.get(name, 0)] for name in {**dict.fromkeys(known), **counted}]}


class AnswerCounts:
    """What came of the requests of one route that nobody judges: a cell for each class of status."""

    __slots__ = ("cells",)

    def __init__(self, counts: Counts, route: str) -> None:
        self.cells = [counts.of((route, kind)) for kind in ANSWERS]

    def count(self, status: int | None) -> None:
        """An answer of this status; None where the client had left before there was one."""
        self.cells[status // 100 if status is not None else 0].value += 1


class Histogram:
    """Observations of one series. ``counts`` has a bucket for each bound and one above the last."""

    __slots__ = ("_above", "_place", "_to", "bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        # The bucket of the last observation: that of the next one is mostly the same.
        self._place = 0
        self._above = -inf
        self._to = bounds[0]

    def observe(self, value: float) -> None:
        if not self._above < value <= self._to:
            self._seek(value)
        self.counts[self._place] += 1
        self.total += value

    def _seek(self, value: float) -> None:
        bounds = self.bounds
        place = self._place = bisect_left(bounds, value)
        self._above = bounds[place - 1] if place else -inf
        self._to = bounds[place] if place < len(bounds) else inf


class Histograms:
    """One histogram for each set of label values; ``of`` is called when something is built, not per message."""

    __slots__ = ("bounds", "metric", "series")

    def __init__(self, metric: Metric, bounds: tuple[float, ...] = ()) -> None:
        self.metric = metric
        self.bounds = bounds or metric.bounds
        self.series: dict[tuple[str, ...], Histogram] = {}

    def of(self, *key: str) -> Histogram:
        """The histogram of these label values; the same one when asked again, so that a reload keeps it."""
        if len(key) != len(self.metric.labels):
            raise ValueError(f"{self.metric.name} takes the labels {self.metric.labels}")
        if key not in self.series and len(self.series) >= MAX_SERIES:
            key = (OTHER,) * len(key)
        return self.series.setdefault(key, Histogram(self.bounds))

    def told(self) -> dict[str, Any]:
        """``{"bounds": [...], "series": [[[label values], [bucket counts, not cumulated], sum]]}``."""
        series = [[list(key), histogram.counts, histogram.total] for key, histogram in self.series.items()]
        return {"bounds": self.bounds, "series": series}


class SenderCounts:
    """What is counted of platforms that are asked who sends."""

    __slots__ = ("answers", "evictions", "log_outs", "put_off", "questions")

    def __init__(self) -> None:
        self.answers = Counts(METRICS["tidegate_sender_answers_total"])
        self.questions = Counts(METRICS["tidegate_sender_questions_total"])
        self.put_off = Counts(METRICS["tidegate_sender_put_off_total"])
        self.evictions = Counts(METRICS["tidegate_sender_evictions_total"])
        self.log_outs = Counts(METRICS["tidegate_log_outs_total"])

    def evicted(self, segment: str) -> None:
        """One more of this segment went."""
        self.evictions.add((segment,))

    @property
    def all(self) -> tuple[Counts, ...]:
        return self.answers, self.questions, self.put_off, self.evictions, self.log_outs


class WorkerMetrics:
    """Every cell of one worker. ``gauges`` are asked only when control asks. ``seconds``: bounds of the histograms of
    times."""

    __slots__ = (
        "_histograms",
        "check_seconds",
        "degraded",
        "gauges",
        "messages",
        "refused_requests",
        "relayed",
        "removals",
        "senders",
        "socket_ends",
        "started",
        "state_batch_size",
        "state_seconds",
        "upstream_failures",
        "upstream_seconds",
    )  # fmt: skip

    def __init__(self, seconds: tuple[float, ...] = SECONDS) -> None:
        self.started = f"{os.getpid()}-{time.time_ns()}"
        self.messages = Counts(METRICS["tidegate_messages_total"])
        self.refused_requests = Counts(METRICS["tidegate_refused_requests_total"])
        self.relayed = Counts(METRICS["tidegate_relayed_requests_total"])
        self.degraded = Counts(METRICS["tidegate_degraded_total"])
        self.removals = Counts(METRICS["tidegate_removals_seen_total"])
        self.socket_ends = Counts(METRICS["tidegate_socket_ends_total"])
        self.upstream_failures = Counts(METRICS["tidegate_upstream_failures_total"])
        self.senders = SenderCounts()
        check = Histograms(METRICS["tidegate_check_seconds"], seconds)
        batch = Histograms(METRICS["tidegate_state_batch_size"])
        state = Histograms(METRICS["tidegate_state_seconds"], seconds)
        self.upstream_seconds = Histograms(METRICS["tidegate_upstream_seconds"], seconds)
        self._histograms = (check, batch, state, self.upstream_seconds)
        self.check_seconds = check.of()
        self.state_batch_size = batch.of()
        self.state_seconds = state.of()
        self.gauges: dict[str, Callable[[], float]] = {}

    def asked(self, messages: int, seconds: float) -> None:
        """State has answered a call about so many messages after so long."""
        self.state_batch_size.observe(messages)
        self.state_seconds.observe(seconds)

    def gauge(self, name: str, read: Callable[[], float]) -> None:
        """Let ``read`` tell the gauge ``name``, a name of ``OF_WORKERS``."""
        if METRICS[name].kind != "gauge":
            raise ValueError(f"{name} is not a gauge")
        self.gauges[name] = read

    def told(self, elsewhere: Mapping[str, dict[str, Any]] = NOTHING) -> dict[str, Any]:
        """The answer to the command ``counters``: ``{"started", "pid", "metrics": {name: {"series": …}}}``.

        ``elsewhere``: what other parts count in cells of their own, in the same form.
        """
        counted = (
            self.messages, self.refused_requests, self.relayed, self.degraded, self.removals, self.socket_ends,
            self.upstream_failures, *self.senders.all,
        )  # fmt: skip
        metrics = {counts.metric.name: counts.told() for counts in counted}
        metrics |= {histograms.metric.name: histograms.told() for histograms in self._histograms}
        metrics |= {name: {"series": [[[], read()]]} for name, read in self.gauges.items()}
        metrics |= elsewhere
        return {"started": self.started, "pid": os.getpid(), "metrics": metrics}
