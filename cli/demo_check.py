"""One comparison of what was expected with what happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class DemoCheck:
    """A sentence that should be true, what was found, and whether it is."""

    name: str
    found: str
    ok: bool

    @classmethod
    def same(cls, name: str, expected: Mapping[str, Any], actual: Mapping[str, Any]) -> Self:
        """Compare something said of many things, such as the attempts of every job.

        Parameters:
          expected, actual: what is said, by the name of the thing.
        """
        differing = sorted(key for key in {*expected, *actual} if expected.get(key) != actual.get(key))
        if not differing:
            return cls(name=name, found=f"{len(expected)} of {len(expected)}", ok=True)
        first = differing[0]
        told = f"{first}: expected {expected.get(first)}, found {actual.get(first)}"
        return cls(name=name, found=f"{len(differing)} differ, such as {told}", ok=False)
