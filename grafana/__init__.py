"""Dashboards as code: one catalogue of panels, built to the JSON that Grafana 11 and newer read."""

from __future__ import annotations

from .catalogue import FOLDER, build
from .dashboard import Dashboard

__all__ = ["FOLDER", "Dashboard", "build"]
