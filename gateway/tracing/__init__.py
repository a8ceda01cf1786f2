"""What is told of sampled requests and messages: spans, as OpenTelemetry has them, until control takes them."""
