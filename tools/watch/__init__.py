"""``python -m tools.watch``: alerts and boards of ``deploy/``, asked of a real node by a real Prometheus."""
