"""Measure requests."""

from __future__ import annotations

from benchmarks import hot_path
from benchmarks.hot_path.measure import main
from rig.worker import Course

main(Course(), "benchmarks.hot_path", hot_path.__doc__)
