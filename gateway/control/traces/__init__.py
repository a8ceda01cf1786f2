"""Spans of sampled requests: asked of the workers, and exported as OpenTelemetry has it."""
