"""Write the page."""

from __future__ import annotations

from benchmarks.report.page import main

main()
