"""What a person chooses above a dashboard."""

from __future__ import annotations

from typing import Any

from .prom_query import PROMETHEUS
from .sql_query import POSTGRES


def datasources() -> list[dict[str, Any]]:
    """Which Prometheus, and which PostgreSQL; the default one of its kind unless chosen."""
    return [_datasource("prometheus", "Prometheus", PROMETHEUS), _datasource("postgres", "PostgreSQL", POSTGRES)]


def namespace() -> dict[str, Any]:
    """The fleet, where the scrape says of which namespace it is; all of them by default, also those without a name."""
    return _labels("namespace", "Namespace", "label_values(jobfleet_build_info, namespace)", multi=False)


def queue() -> dict[str, Any]:
    """One queue, several or all."""
    return _labels("queue", "Queue", 'label_values(jobfleet_queue_jobs{namespace=~"$namespace"}, queue)', multi=True)


def plan() -> dict[str, Any]:
    """One plan, several or all."""
    asked = 'label_values(jobfleet_tenant_admitted_total{namespace=~"$namespace"}, plan)'
    return _labels("plan", "Plan", asked, multi=True)


def tenant() -> dict[str, Any]:
    """A tenant's id; empty for all. Not a list: there may be ten thousand."""
    return _text("tenant", "Tenant", "", "A tenant's id; empty for all tenants.")


def admin() -> dict[str, Any]:
    """Where the monitor answers HTTP, as the person's browser reaches it."""
    return _text(
        "admin",
        "Monitor",
        "http://localhost:9465",
        "Where links to jobs and dead letters lead; they want the header Authorization.",
    )


def _datasource(name: str, label: str, of: dict[str, str]) -> dict[str, Any]:
    return {
        "type": "datasource",
        "name": name,
        "label": label,
        "query": of["type"],
        "regex": "",
        "current": {},
        "options": [],
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "refresh": 1,
        "skipUrlSync": False,
    }


def _labels(name: str, label: str, asked: str, *, multi: bool) -> dict[str, Any]:
    return {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": PROMETHEUS,
        "definition": asked,
        "query": {"qryType": 1, "query": asked, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
        "regex": "",
        "sort": 1,
        # Read anew with each change of the time range: a queue that is new shows up.
        "refresh": 2,
        "includeAll": True,
        "allValue": ".*",
        "multi": multi,
        "current": {"selected": True, "text": ["All"] if multi else "All", "value": ["$__all"] if multi else "$__all"},
        "options": [],
        "hide": 0,
        "skipUrlSync": False,
    }


def _text(name: str, label: str, value: str, description: str) -> dict[str, Any]:
    chosen = {"selected": True, "text": value, "value": value}
    return {
        "type": "textbox",
        "name": name,
        "label": label,
        "description": description,
        "query": value,
        "current": chosen,
        "options": [chosen],
        "hide": 0,
        "skipUrlSync": False,
    }
