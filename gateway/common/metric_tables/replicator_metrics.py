"""What the replicator tells of copies of other nodes' journals: a part of the table of metrics."""

from __future__ import annotations

from gateway.common.metric_tables.metric import Metric

# Told by the replicator, where there is one. A peer's name is the configuration's.
OF_REPLICATOR = (
    Metric("tidegate_replica_up", "gauge", "1 while the peer's journal is copied, 0 while it is not.", ("peer",)),
    Metric(
        "tidegate_replica_lag_seconds",
        "gauge",
        "How long ago nothing of the peer's journal was missing here.",
        ("peer",),
    ),
    Metric(
        "tidegate_replica_behind_bytes", "gauge", "Bytes that were missing here when the peer last answered.", ("peer",)
    ),
    Metric("tidegate_replica_bytes_total", "counter", "Bytes copied from a peer.", ("peer",)),
    Metric(
        "tidegate_replica_failures_total",
        "counter",
        "Times that a peer could not be copied from, by cause.",
        ("peer", "cause"),
    ),
    Metric(
        "tidegate_replica_findings_total",
        "counter",
        "What a person should look at: flaw (a damaged line), hole (records that are not here), aside (a segment that "
        "the peer no longer has, or has otherwise).",
        ("peer", "kind"),
    ),
    Metric("tidegate_replicas_size_bytes", "gauge", "Bytes that all copies take."),
    Metric("tidegate_replicas_max_size_bytes", "gauge", "journal.replicas.max_size: past it nothing more is copied."),
    Metric(
        "tidegate_replicas_max_lag_seconds", "gauge", "journal.replicas.max_lag: past it a copy is told to be behind."
    ),
)
