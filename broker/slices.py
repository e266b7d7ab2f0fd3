"""Rows in portions: what one command or one run of a script takes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def slices(rows: Iterable[T], size: int, *, rest: float = 0.0) -> Iterator[list[T]]:
    """The rows in lists of `size`, the last one shorter.

    Parameters:
      rows: read as they are asked for.
      size: of a list.
      rest: seconds to pause for each second that reading a list and working on it took.
    """
    left = iter(rows)
    began = time.perf_counter()
    while batch := list(islice(left, size)):
        yield batch
        if rest:
            time.sleep(rest * (time.perf_counter() - began))
            began = time.perf_counter()
