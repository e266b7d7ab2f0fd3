"""The counters of the fleet, as the families that Prometheus reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate, pairwise

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family

from .label_space import LabelSpace
from .metric import Metric
from .metrics import ATTEMPT_BUCKETS, ATTEMPTS, BUCKETS_MS, COUNTERS, DURATIONS, PREFIX

#: Labels of one series.
Labels = tuple[str, ...]


class Counted:
    """What the scripts have counted.

    Parameters:
      fields: the hash ``metrics``.
      space: label sets that exist, whether something was counted for them or not.
    """

    def __init__(self, fields: Mapping[bytes, bytes], space: LabelSpace) -> None:
        self._space = space
        self._by_name: dict[str, dict[Labels, int]] = {}
        for field, value in fields.items():
            name, *labels = field.decode("utf-8", "replace").split("\t")
            self._by_name.setdefault(name, {})[tuple(labels)] = int(value)

    def families(self) -> Iterator[Family]:
        """All counters and histograms."""
        for metric in COUNTERS:
            yield self._counter(metric)
        for metric in DURATIONS:
            yield self._durations(metric)
        yield self._attempts()

    def _counter(self, metric: Metric) -> Family:
        family = CounterMetricFamily(PREFIX + metric.name, metric.text, labels=metric.labels)
        series = dict.fromkeys(self._space.sets(metric), 0)
        series |= self._fields(metric.name, len(metric.labels))
        for labels, value in sorted(series.items()):
            family.add_metric(labels, value)
        return family

    def _durations(self, metric: Metric) -> Family:
        parts = self._by_part(metric.name.removesuffix("_seconds"), metric)
        family = HistogramMetricFamily(PREFIX + metric.name, metric.text, labels=metric.labels)
        for labels, counts in parts:
            numbers = [counts.get(str(bound), 0) for bound in (*BUCKETS_MS, "inf")]
            bounds = [*(repr(bound / 1000) for bound in BUCKETS_MS), "+Inf"]
            family.add_metric(labels, _buckets(bounds, numbers), counts.get("sum", 0) / 1000)
        return family

    def _attempts(self) -> Family:
        family = HistogramMetricFamily(PREFIX + ATTEMPTS.name, ATTEMPTS.text, labels=ATTEMPTS.labels)
        for labels, counts in self._by_part(ATTEMPTS.name, ATTEMPTS):
            needed = {int(attempts): jobs for attempts, jobs in counts.items()}
            edges = (0, *ATTEMPT_BUCKETS, float("inf"))
            numbers = [
                sum(jobs for attempts, jobs in needed.items() if low < attempts <= high)
                for low, high in pairwise(edges)
            ]
            bounds = [*map(str, map(float, ATTEMPT_BUCKETS)), "+Inf"]
            total = sum(attempts * jobs for attempts, jobs in needed.items())
            family.add_metric(labels, _buckets(bounds, numbers), total)
        return family

    def _by_part(self, name: str, metric: Metric) -> list[tuple[Labels, dict[str, int]]]:
        """The fields of a histogram by label set: the last part of each names what it counts."""
        series: dict[Labels, dict[str, int]] = {labels: {} for labels in self._space.sets(metric)}
        for (*labels, part), value in self._fields(name, len(metric.labels) + 1).items():
            series.setdefault(tuple(labels), {})[part] = value
        return sorted(series.items())

    def _fields(self, name: str, parts: int) -> dict[Labels, int]:
        """A field with another number of parts is none of ours (a name had a tab in it)."""
        return {labels: value for labels, value in self._by_name.get(name, {}).items() if len(labels) == parts}


def _buckets(bounds: list[str], numbers: list[int]) -> list[tuple[str, float]]:
    """Cumulative, as Prometheus wants them."""
    return list(zip(bounds, map(float, accumulate(numbers)), strict=True))
