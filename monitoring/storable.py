"""What PostgreSQL refuses to store, made storable: the log has a row of every job, whatever an application sent.

Text loses NUL bytes and lone surrogates (each becomes U+FFFD) and is cut at a limit; JSON loses infinities and depth.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

#: Levels of nesting that a payload keeps in the log; what is deeper is replaced.
DEPTH_MAX = 64
#: The largest whole number that a payload keeps; PostgreSQL has a limit and Python prints at most 4,300 digits.
WHOLE_MAX = 10**1_000
#: The largest whole number that a column takes.
WHOLE_STORED_MAX = 2**62
#: Milliseconds since the epoch at the end of the year 9999.
TIME_MAX_MS = 253_402_300_799_000
#: The mark of a text that was cut.
CUT = " [cut]"


def text(value: Any, limit: int) -> str:
    """Any value as text that PostgreSQL takes, of at most ``limit`` characters."""
    clean = _clean(value if isinstance(value, str) else str(value))
    return clean if len(clean) <= limit else clean[: limit - len(CUT)] + CUT


def name(value: Any, limit: int) -> str:
    """A name of at most ``limit`` characters; long ones keep their beginning and stay different from each other."""
    # Almost always plain: with this and the next two a job costs the recorder a sixth less of its time.
    if type(value) is str and value.isascii() and len(value) <= limit and "\0" not in value:
        return value
    given = value if isinstance(value, str) else str(value)
    clean = _clean(given)
    if len(clean) <= limit:
        return clean
    digest = hashlib.sha256(given.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{clean[: limit - 33]}~{digest}"


def milliseconds(value: Any) -> int:
    """A moment in milliseconds since the epoch, within the years that PostgreSQL and Python both know."""
    if type(value) is int and 0 <= value <= TIME_MAX_MS:
        return value
    return min(whole(value), TIME_MAX_MS)


def whole(value: Any) -> int:
    """A whole number of at least 0; 0 for what is no number."""
    if type(value) is int and 0 <= value <= WHOLE_STORED_MAX:
        return value
    try:
        return max(0, min(int(value), WHOLE_STORED_MAX))
    except (TypeError, ValueError, OverflowError):
        return 0


def count(value: Any) -> int:
    """A whole number of at least 0 that fits a column of type INTEGER."""
    return min(whole(value), 2**31 - 1)


def fraction(value: Any) -> float | None:
    """A number from 0 to 1; None for what is no number."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return None if math.isnan(number) else max(0.0, min(1.0, number))


def json_value(value: Any, depth: int = 0) -> Any:
    """A JSON value of which every part can be stored as JSONB."""
    if isinstance(value, str):
        return _clean(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < WHOLE_MAX else text(hex(value), 100)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if depth >= DEPTH_MAX:
        return "[too deep]"
    if isinstance(value, dict):
        return {_clean(str(key)): json_value(part, depth + 1) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(part, depth + 1) for part in value]
    return text(value, 1_000)


def _clean(given: str) -> str:
    clean = given.replace("\0", "\ufffd") if "\0" in given else given
    if clean.isascii():
        return clean
    try:
        clean.encode()
    except UnicodeEncodeError:
        return clean.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return clean
