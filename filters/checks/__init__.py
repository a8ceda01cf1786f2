"""Every check, in one table that a reader can see. A new check is a file here, a row, a test file and a line of
CHANGELOG.md; ``make reference`` writes what follows."""

from filters.checks import block, credit, crowd, identity, keywords, limit, newcomer, parts, repeats, review, room
from filters.model.check import Check

CHECKS: dict[str, Check] = {
    "identity": Check(identity.Options, identity.bind, identity.REASONS, identity.SAMPLE, "facts"),
    "block": Check(block.Options, block.bind, block.REASONS, block.SAMPLE, "facts"),
    "room": Check(room.Options, room.bind, room.REASONS, room.SAMPLE, "facts"),
    "limit": Check(limit.Options, limit.bind, limit.REASONS, limit.SAMPLE, "facts"),
    "keywords": Check(keywords.Options, keywords.bind, keywords.REASONS, keywords.SAMPLE, "hits", spans=True),
    "crowd": Check(crowd.Options, crowd.bind, crowd.REASONS, crowd.SAMPLE, "message", spans=True, shadow=True),
    "parts": Check(parts.Options, parts.bind, parts.REASONS, parts.SAMPLE, "parts"),
    "repeats": Check(repeats.Options, repeats.bind, repeats.REASONS, repeats.SAMPLE, "facts"),
    "credit": Check(credit.Options, credit.bind, credit.REASONS, credit.SAMPLE, "facts"),
    "newcomer": Check(newcomer.Options, newcomer.bind, newcomer.REASONS, newcomer.SAMPLE, "facts"),
    "review": Check(review.Options, review.bind, review.REASONS, review.SAMPLE, "message"),
}
