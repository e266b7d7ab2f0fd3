"""A counter or histogram as the broker's scripts keep it in Redis."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """One metric of the hash ``metrics``; its fields there are its name and its labels' values, separated by tabs.

    Parameters:
      name: without the prefix, and without the endings that exposition adds.
      text: what it counts, one sentence.
      labels: names of the labels, in the order of the field.
      values: of the last label, all that it can have; empty when queues, actors and plans say it all.
    """

    name: str
    text: str
    labels: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
