"""Load tests: people who write, watch and misbehave, and a check of every answer they get.

``crowd/`` says who takes part, ``users/`` how they behave, ``shapes/`` how many there are when, ``verdicts/``
which verdict each message must get. ``locustfile.py`` puts that together for Locust; ``run.py`` is ``tidegate
loadtest``, which starts a node of its own, runs Locust beside it, measures and writes the report.

Modules that import ``locust`` (the locustfile, users, ``chosen.py``) replace the standard library's blocking
calls as they load; nothing else here does, so that asyncio programs may import it.
"""
