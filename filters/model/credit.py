"""How credit comes back with time, and how far approvals count. (Comment rules, article 5: tiers by credit.)

Credit is a whole number from 0 to 100. This is arithmetic; the control database keeps the numbers.
"""

CEILING = 100
MOST_APPROVED = 100
"""Of a sender's messages that a person approved, so many are counted and no more: nobody asks for more."""
DAY_US = 86_400_000_000


def recover(credit: int, since_us: int, now_us: int, per_day: int, ceiling: int = CEILING) -> tuple[int, int]:
    """Credit regained between two times (microseconds), ``per_day`` points a day in whole points.

    Returns the new credit and the time it is true of: the part of a day that did not yet earn a point is kept, so
    that asking often and asking seldom come to the same. A clock that went back changes nothing, and recovery never
    takes from a credit above its ceiling.
    """
    if per_day <= 0 or now_us <= since_us:
        return credit, since_us
    if credit >= ceiling:
        return credit, now_us
    points = (now_us - since_us) * per_day // DAY_US
    if credit + points >= ceiling:
        return ceiling, now_us
    return credit + points, since_us + -(-points * DAY_US // per_day)
