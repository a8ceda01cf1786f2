"""The policy that every checking system carries out, in the measured gateway's own words.

Identity, block, three limits that no load here reaches, repeats, credit and one word list. So each check does its work
and nothing is refused: what is measured is the cost of an ordinary message.
"""

from __future__ import annotations

LIMITS = ("sender 100000/1s", "ip 1000000/1s", "room 1000000/1s")
CREDIT_BELOW = 40

_LIMITS = ", ".join(f'"{limit}"' for limit in LIMITS)

RULES = (
    '{ check = "identity", action = "reject", on_error = "reject", ground = "agreement 2.1" }',
    '{ check = "block", action = "reject", on_error = "reject", ground = "agreement 6.1" }',
    f'{{ check = "limit", action = "reject", on_error = "reject", ground = "agreement 4.2", limits = [{_LIMITS}] }}',
    '{ check = "keywords", action = "reject", on_error = "reject", ground = "agreement 3.1", lists = ["words"] }',
    '{ check = "repeats", action = "reject", on_error = "reject", ground = "agreement 4.3", limit = "3/1m" }',
    f'{{ check = "credit", action = "label", on_error = "reject", ground = "agreement 5.1", below = {CREDIT_BELOW}, '
    'label = "low credit" }',
)
