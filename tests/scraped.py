"""A page of metrics, read as Prometheus reads it."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from prometheus_client.parser import text_string_to_metric_families

from jobfleet.monitoring.exporter import Exporter


class Scraped:
    """What one scrape brought.

    Parameters:
      page: in Prometheus' text format.
    """

    def __init__(self, page: bytes) -> None:
        self.page = page
        self._samples = [
            sample for family in text_string_to_metric_families(page.decode()) for sample in family.samples
        ]

    @property
    def names(self) -> set[str]:
        """Names of all series."""
        return {sample.name for sample in self._samples}

    def value(self, name: str, **labels: str) -> float:
        """One series, which must be there."""
        (found,) = (sample.value for sample in self._samples if (sample.name, sample.labels) == (name, labels))
        return found

    def series(self, name: str, *labels: str) -> dict[tuple[str, ...], float]:
        """All series of a metric that are not 0, by the given labels."""
        return {
            tuple(sample.labels[label] for label in labels): sample.value
            for sample in self._samples
            if sample.name == name and sample.value
        }

    def counters(self) -> dict[tuple[str, ...], float]:
        """All that only grows."""
        ends = ("_total", "_bucket", "_count", "_sum")
        return {
            (sample.name, *sorted(sample.labels.values())): sample.value
            for sample in self._samples
            if sample.name.endswith(ends)
        }


def scrape(exporter: Exporter) -> Scraped:
    """One scrape, past any server."""
    return Scraped(exporter.page()[0])


def promtool(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run promtool; a developer's run without it skips, CI's fails."""
    if shutil.which("promtool") is None:
        if "CI" in os.environ:
            pytest.fail("promtool is not installed (Debian: apt-get install prometheus)")
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")
    return subprocess.run(["promtool", *arguments], input=given, capture_output=True, check=False)
