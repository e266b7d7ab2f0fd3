"""Our writer of the plain format says what prometheus_client's does, whatever is in labels and texts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from jobfleet.monitoring.exposition import CONTENT_TYPE, written

ODD = ("", "plain", 'quo"ted', "back\\slash", "two\nlines", "tab\t", "ümlaut ✓", "\\n", '\\"', "a,b={}")


class These(Collector):
    """Families that are given."""

    def __init__(self, families: list[Family]) -> None:
        self._families = families

    def collect(self) -> Iterator[Family]:
        """They."""
        yield from self._families


def by_library(families: list[Family]) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(These(families))
    return generate_latest(registry)


def of_all_kinds(value: str, number: float) -> list[Family]:
    counter = CounterMetricFamily("jobfleet_sends", f"Sends: {value}", labels=("actor", "queue"))
    counter.add_metric((value, "email"), number)
    histogram = HistogramMetricFamily("jobfleet_run_seconds", "Runs.", labels=("actor",))
    histogram.add_metric((value,), [("0.005", number), ("+Inf", number)], number)
    gauge = GaugeMetricFamily("jobfleet_lag", "Lag.", value=number)
    return [counter, histogram, gauge, GaugeMetricFamily("jobfleet_none", "Of nothing.", labels=("queue",))]


@pytest.mark.parametrize("value", ODD)
def test_the_page_is_the_librarys_byte_for_byte(value: str) -> None:
    families = of_all_kinds(value, 1_234_567.0)
    assert written(families) == by_library(families)


@given(value=st.text(), number=st.floats())
def test_whatever_is_counted(value: str, number: float) -> None:
    families = of_all_kinds(value, number)
    assert written(families) == by_library(families)


def test_a_series_is_found_again_with_its_new_value() -> None:
    for number in (1.0, 2.0):
        page = written(of_all_kinds("again", number)).decode()
        (counter, *_) = text_string_to_metric_families(page)
        assert [sample.value for sample in counter.samples] == [number]


def test_the_type_names_the_format_and_its_version() -> None:
    assert CONTENT_TYPE.split("; ") == ["text/plain", "version=0.0.4", "charset=utf-8"]
