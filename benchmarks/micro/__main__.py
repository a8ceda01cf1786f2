"""Show the parts alone."""

from __future__ import annotations

import sys

from rich.console import Console

from benchmarks import micro
from benchmarks.report import table

table.rows(Console(), "The parts alone, µs a call", micro.run(quick="--quick" in sys.argv))
