"""Records, and what is told of them: objectives, tables on a terminal, docs/performance.md and its plots."""
