"""What ends a measurement: a fast wrong answer is no result."""

from __future__ import annotations


class WrongAnswer(Exception):
    """A system does not do what it is measured for."""


class Refused(Exception):
    """A handshake was not answered with 101."""
