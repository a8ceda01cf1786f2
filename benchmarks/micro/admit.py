"""Writing the call of the script that asks state about messages, beside packing a list of arguments."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha1

import hiredis

from benchmarks.micro.case import Case
from benchmarks.micro.samples import MESSAGE
from filters.model.limits import paces, parse_limit
from filters.model.message import Message
from filters.model.rule import Asks, Repeat
from filters.model.verdict import Facts, Scan
from gateway.state.hot.admit_arguments import encode
from gateway.state.hot.flight import AdmitBatch, Pending
from gateway.state.hot.plan import Plan
from gateway.state.hot.scripts import ADMIT
from gateway.state.model.keys import Keys
from rig import rules

EPOCH = 1
SCAN = Scan(fingerprint=b"12345678", folded_length=30)
REPEAT = Repeat("sender", 3, 60_000_000)


def cases() -> Iterator[Case]:
    keys = Keys()
    asks = Asks(account=True, blocks=True, limits=[parse_limit(text) for text in rules.LIMITS])
    asks.repeat(REPEAT, "enforce")
    plan = Plan(asks, MESSAGE.route, keys, EPOCH)
    digest = sha1(ADMIT.text, usedforsecurity=False).hexdigest()
    mark = SCAN.fingerprint.hex()
    numbers = [number for limit in asks.limits for number in paces(limit)[1]]

    def arguments(message: Message) -> list[str | int]:
        names: list[str] = [keys.account(EPOCH, message.sender)]
        for scope, value in (("sender", message.sender), ("ip", message.ip), ("room", message.room)):
            names.append(keys.block(EPOCH, scope, value))
            names += [keys.limit(one, message.route, False, value) for one in asks.limits if one.scope == scope]
        names.append(f"{keys.repeat(REPEAT, message.route, False)}{{{message.sender}}}:{mark}")
        return [len(names), *names, EPOCH, *numbers]

    for size in (1, 32):
        messages = [MESSAGE._replace(sender=f"u{number}") for number in range(size)]
        entries = [Pending(plan, message, SCAN, _nobody) for message in messages]

        def ours(entries: list[Pending] = entries) -> AdmitBatch:
            batch = AdmitBatch(entries, EPOCH, -1, _unheard, _unheard)
            encode(batch, keys, True)
            return batch

        def plain(messages: list[Message] = messages) -> bytes:
            calls = [("EVALSHA", digest, *arguments(message)) for message in messages]
            return b"".join(map(hiredis.pack_command, calls))  # type: ignore[arg-type]  # the stub means any tuple

        yield Case("admit", f"{size} a call, a message", ours, "hiredis.pack_command", plain, size)


def _nobody(facts: Facts) -> None:
    """Nobody waits."""


def _unheard(batch: AdmitBatch, reply: object) -> None:
    """Nobody listens."""
