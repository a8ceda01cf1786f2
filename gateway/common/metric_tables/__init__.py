"""Parts of the table of metrics (``gateway.common.metrics``), and what a row of it is."""
