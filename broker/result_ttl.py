"""For how long a result is kept: what a send may say, and what is made of what an actor says."""

from __future__ import annotations

from datetime import timedelta

#: The longest time, in milliseconds: a year.
LONGEST_MS = 365 * 24 * 60 * 60 * 1000


def is_result_ttl(ttl: object) -> bool:
    """Whether it is a whole number of milliseconds from 1 to a year."""
    return type(ttl) is int and 1 <= ttl <= LONGEST_MS


def kept_ms(ttl: object) -> int:
    """The milliseconds for which a result is kept, a year at most; 0, not at all, where that is no time.

    Dramatiq asks nobody what ``result_ttl`` an actor declares or a message carries, and the server refuses what
    is no whole number above 0.
    """
    if isinstance(ttl, timedelta):
        ttl = ttl / timedelta(milliseconds=1)
    if isinstance(ttl, bool) or not isinstance(ttl, int | float) or not ttl >= 1:
        return 0
    return int(min(ttl, LONGEST_MS))
