"""Spans in OpenTelemetry's own terms, sent by OTLP over HTTP (opentelemetry-proto, trace/v1).

Where they go, under which name and with which headers is told by the environment variables that every program with
OpenTelemetry knows: OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS, OTEL_SERVICE_NAME,
OTEL_RESOURCE_ATTRIBUTES and their kin. Imported only where ``[traces]`` is configured.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

KINDS: Final = {
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "consumer": SpanKind.CONSUMER,
    "internal": SpanKind.INTERNAL,
}
SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)


class Exporter:
    """Blocks while it sends: for a thread. ``instance``: which node this is."""

    def __init__(self, version: str, instance: str) -> None:
        # What it says of each failed attempt: control tells the first, and counts (traces.export_failed).
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        own = {"service.version": version, "service.instance.id": instance}
        resource = Resource.create(own)
        if str(resource.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
            resource = resource.merge(Resource({SERVICE_NAME: "tidegate"}))
        self._resource = resource
        self._scope = InstrumentationScope("tidegate", version)
        self._exporter = OTLPSpanExporter()

    def send(self, spans: Sequence[Mapping[str, Any]]) -> bool:
        """Whether the receiver has taken them. Tries again for as long as OTEL_EXPORTER_OTLP_TIMEOUT says."""
        made = [self._made(span) for span in spans]
        return bool(self._exporter.export(made) is SpanExportResult.SUCCESS)

    def close(self) -> None:
        """Give up what is being tried again."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def _made(self, span: Mapping[str, Any]) -> ReadableSpan:
        trace = int(span["trace"], 16)
        parent = span["parent"]
        error = span["error"]
        return ReadableSpan(
            name=span["name"],
            context=SpanContext(trace, int(span["span"], 16), is_remote=False, trace_flags=SAMPLED),
            parent=SpanContext(trace, int(parent, 16), is_remote=span["kind"] == "server", trace_flags=SAMPLED)
            if parent
            else None,
            resource=self._resource,
            attributes=span.get("attributes") or {},
            kind=KINDS[span["kind"]],
            status=Status(StatusCode.ERROR, error) if error else Status(StatusCode.UNSET),
            start_time=span["start"],
            end_time=max(span["start"], span["end"]),
            instrumentation_scope=self._scope,
        )
