"""Whom the dashboards ask."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The datasources, as a Grafana would be told of them."""

    prometheus_url: str
    database_url: str
    #: Seconds between two scrapes.
    scrape: float
