"""How what is chosen for a variable is written into a question."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

#: The values of a variable.
Chosen = str | Sequence[str]

#: What has a meaning in a pattern of Prometheus; escaped twice, as the pattern is inside a string.
_SPECIAL = re.compile(r"[\\$^*{}\[\]'+?.()|]")


def _several(chosen: Chosen) -> list[str]:
    return [chosen] if isinstance(chosen, str) else list(chosen)


def for_prometheus(variable: Mapping[str, Any], chosen: Chosen) -> str:
    """As the Prometheus plugin writes it: a pattern where several may be chosen."""
    if not (variable.get("multi") or variable.get("includeAll")):
        return "".join(_several(chosen)).replace("\\", "\\\\")
    escaped = [_SPECIAL.sub(r"\\\\\g<0>", value) for value in _several(chosen)]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def for_sql(variable: Mapping[str, Any], chosen: Chosen) -> str:
    """As the PostgreSQL plugin writes it: literals where several may be chosen."""
    if isinstance(chosen, str) and not (variable.get("multi") or variable.get("includeAll")):
        return chosen
    return _literals(chosen)


def _literals(chosen: Chosen) -> str:
    return ",".join("'" + value.replace("'", "''") + "'" for value in _several(chosen))


def _pattern(chosen: Chosen) -> str:
    escaped = [re.sub(r"[/\-\\^$*+?.()|\[\]{}]", r"\\\g<0>", value) for value in _several(chosen)]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


#: How ``${name:format}`` writes what is chosen.
FORMATS: Mapping[str, Callable[[Chosen], str]] = MappingProxyType(
    {
        "csv": lambda chosen: ",".join(_several(chosen)),
        "pipe": lambda chosen: "|".join(_several(chosen)),
        "raw": lambda chosen: ",".join(_several(chosen)),
        "regex": _pattern,
        "singlequote": _literals,
        "sqlstring": _literals,
    }
)
