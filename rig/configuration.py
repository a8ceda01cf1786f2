"""The configuration of a node under load, where comments and groups are judged by one policy (``rig.rules``)."""

from __future__ import annotations

# The state server shares its processor with the load here, and the peers wait a second for it: with the default
# deadline of 20 ms a busy scheduler, not the gateway, would decide about refusals. 10,000 connections take longer to
# open than a head may take by default; nginx gives it 60 s. Groups keep their texts, as the peers do.
CONFIGURATION = """
[state]
deadline = "1s"

[server]
listen = "127.0.0.1:{port}"
workers = {workers}
max_connections_per_address = 20000
head_timeout = "60s"

[control]
listen = "127.0.0.1:{control}"

[upstreams.platform]
servers = ["http://127.0.0.1:{upstream}"]

{lists}

[policies.comment]
appeal = "https://platform.example/appeal?message={{id}}"
rules = [
  {rules},
]

[[routes]]
name = "article-comments"
match = "POST /api/articles/{{room}}/comments"
surface = "comment"
upstream = "platform"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"

[[routes]]
name = "groups"
match = "GET /groups/{{room}}"
transport = "websocket"
surface = "group"
upstream = "platform"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
message_when = {{ "/type" = "message" }}
text = "json:/content"
content = "always"
"""
