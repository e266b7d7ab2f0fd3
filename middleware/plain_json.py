"""Values that JSON holds and every reader takes, with an error that names the place of one that it does not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..broker.errors import InvalidPayload

#: Levels of nesting beyond which a value is refused.
DEPTH_MAX = 100
#: A whole number of this size or more has more digits than Python reads back (4,300).
WHOLE_MAX = 10**4_300

#: What callers give most often that JSON cannot hold, and what to give instead.
_INSTEAD = {
    "date": "give it as text, such as value.isoformat()",
    "datetime": "give it as text, such as value.isoformat()",
    "time": "give it as text, such as value.isoformat()",
    "timedelta": "give it as a number, such as value.total_seconds()",
    "Decimal": "give it as text, str(value)",
    "UUID": "give it as text, str(value)",
    "bytes": "give it as text, such as value.hex()",
    "set": "give it as a list in a fixed order, such as sorted(value)",
    "frozenset": "give it as a list in a fixed order, such as sorted(value)",
}


def plain_json(value: Any, where: str) -> Any:
    """The value with nothing in it but what JSON holds; mappings become dicts, tuples become lists.

    Parameters:
      where: what the value is called in an error.

    Raises:
      InvalidPayload: JSON cannot hold a part of it; the sentence says which (``data.items[3].price``) and ``.field``
        is ``where``.
    """
    return _plain(value, where, where, 0)


def _plain(value: Any, root: str, place: str, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value, root, place)
    if isinstance(value, int | float):
        return _number(value, root, place)
    if depth == DEPTH_MAX:
        raise InvalidPayload(f"{root} is nested more than {DEPTH_MAX} levels deep", field=root)
    if isinstance(value, list | tuple):
        return [_plain(part, root, f"{place}[{index}]", depth + 1) for index, part in enumerate(value)]
    if isinstance(value, Mapping):
        return {
            _name(name, root, place): _plain(part, root, f"{place}.{name!s:.50}", depth + 1)
            for name, part in value.items()
        }
    kind = type(value).__name__
    instead = _INSTEAD.get(kind, "allowed are text, numbers, true, false, null, lists and mappings of these")
    raise InvalidPayload(f"{place} is a {kind}, which JSON cannot hold; {instead}", field=root)


def _text(value: str, root: str, place: str) -> str:
    text = str.__str__(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidPayload(f"{place} holds half of a surrogate pair, which is no text", field=root) from None
    return text


def _number(value: int | float, root: str, place: str) -> int | float:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidPayload(f"{place} is {float(value)}; JSON has finite numbers only", field=root)
        return float(value)
    if abs(value) >= WHOLE_MAX:
        raise InvalidPayload(f"{place} is a whole number of more than 4,300 digits", field=root)
    return int(value)


def _name(name: Any, root: str, place: str) -> str:
    if not isinstance(name, str):
        # Python's own writer would make the text "1" of the number 1, and one name of two.
        raise InvalidPayload(f"{place} has the name {name!r:.100}; names in JSON are text", field=root)
    return _text(name, root, f"a name in {place}")
