"""The ``Retry-After`` header: seconds, or a date."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

#: Seconds to which a wish is cut: an endpoint cannot park a job for longer.
LONGEST_SECONDS = 3600


def retry_after_ms(value: str | None) -> int | None:
    """Milliseconds to wait, at most an hour; None when the header says nothing that can be read or is past."""
    if not value:
        return None
    seconds = _seconds(value.strip())
    return round(min(seconds, LONGEST_SECONDS) * 1000) if seconds and seconds > 0 else None


def _seconds(value: str) -> float | None:
    if value.isascii() and value.isdigit():
        # More digits than any wish needs would only cost time to convert.
        return float(value[:9]) if len(value) <= 9 else float(LONGEST_SECONDS)
    try:
        return parsedate_to_datetime(value).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return None
