#!/opt/tidegate/bin/python -I
"""Whether the node in this container lives: exit code 0 or 1. TIDEGATE_HEALTH: another address than its /healthz."""

import http.client
import os
import sys
from urllib.parse import urlsplit

address = urlsplit(os.environ.get("TIDEGATE_HEALTH", "http://127.0.0.1:8081/healthz"))
try:
    connection = http.client.HTTPConnection(address.hostname or "127.0.0.1", address.port or 80, timeout=3)
    connection.request("GET", address.path)
    sys.exit(connection.getresponse().status != 200)
except OSError as error:
    sys.exit(f"no answer: {error}")
