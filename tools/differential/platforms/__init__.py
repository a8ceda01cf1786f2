"""Small platforms, each with the parsers that its kind is mostly built with.

Each listens on the port that it is given, and answers every POST with ``{"NAME OF A VIEW": [what stands there]}``: the
texts by every way in which an application may ask.

A text is ``content``, or ``body`` of ``comment`` where the path has ``/nested/``. A view that the parsers refuse is
left out.
"""
