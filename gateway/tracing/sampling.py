"""Which share is sampled, as OpenTelemetry's environment variables say where the configuration does not.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ (General SDK Configuration).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

DEFAULT: Final = 0.01
SAMPLER: Final = "OTEL_TRACES_SAMPLER"
ARGUMENT: Final = "OTEL_TRACES_SAMPLER_ARG"
PARENT_BASED: Final = "parentbased_"


def share(configured: float | None, environ: Mapping[str, str]) -> float:
    """From 0 to 1. What cannot be read is as if it were not said, as the specification has it."""
    if configured is not None:
        return configured
    kind = environ.get(SAMPLER, "").strip().lower().removeprefix(PARENT_BASED)
    if kind == "always_on":
        return 1.0
    if kind == "always_off":
        return 0.0
    if kind != "traceidratio":
        return DEFAULT
    try:
        told = float(environ.get(ARGUMENT, "1") or "1")
    except ValueError:
        return 1.0
    return told if 0 <= told <= 1 else 1.0
