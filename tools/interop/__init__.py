"""``python -m tools.interop``: the suites of HTTP clients, run against their servers directly and through the gate.

What a suite proves directly it must prove through the gate as well. Where it may not, ``differences.toml`` says which
test and why: a proxy is not the server, and some of what lies between two neighbours is not to be passed on (RFC 9110
section 7.6). Nothing of the suites is committed: they come from PyPI into ``data/interop``, each in an environment of
its own.
"""
