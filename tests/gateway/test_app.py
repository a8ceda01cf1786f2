"""What the wiring itself decides."""

from structlog.testing import capture_logs

from gateway.app import _notice


def test_a_server_that_rests_is_told_in_the_log() -> None:
    """The pool calls this from within a failing call: an exception here would strand its message."""
    with capture_logs() as told:
        _notice("platform", "ejected", "http://127.0.0.1:9000")
    assert told == [
        {
            "event": "upstream.health",
            "change": "ejected",
            "upstream": "platform",
            "server": "http://127.0.0.1:9000",
            "log_level": "warning",
        }
    ]
