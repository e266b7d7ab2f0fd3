"""Links: from a value to another dashboard or to the monitor's HTTP, and between dashboards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: What every dashboard is tagged with.
TAG = "jobfleet"

#: Variables and times that a link takes along.
KEPT = "&".join(
    ["${__url_time_range}", *(f"${{{name}:queryparam}}" for name in ("prometheus", "postgres", "namespace", "admin"))]
)


@dataclass(frozen=True)
class Link:
    """A link from a value.

    Parameters:
      title: what a person reads.
      url: with ``${__value.text}`` for a cell, ``${__field.labels.queue}`` for a series.
    """

    title: str
    url: str

    def build(self) -> dict[str, Any]:
        """As Grafana reads it."""
        return {"title": self.title, "url": self.url, "targetBlank": self.url.startswith("${admin}")}


def queue_links(queue: str) -> tuple[Link, ...]:
    """From a queue to its own dashboards and to its jobs in the log.

    Parameters:
      queue: what Grafana replaces by the queue's name.
    """
    return (
        Link("Queue", f"/d/jobfleet-queue?var-queue={queue}&{KEPT}"),
        Link("Dead letters", f"/d/jobfleet-dead-letters?var-queue={queue}&{KEPT}"),
        Link("Failed jobs in the log", f"${{admin}}/admin/jobs?queue={queue}&status=failed"),
        Link("Dead letters by error", f"${{admin}}/admin/dead/groups?queue={queue}"),
        Link("What to scale by", f"${{admin}}/scale/{queue}"),
    )


#: From a cell that holds a queue's name.
CELL_QUEUE = queue_links("${__value.text}")
#: From a point of a series that has the label queue.
SERIES_QUEUE = queue_links("${__field.labels.queue}")
#: From a cell that holds a tenant's id.
CELL_TENANT = (
    Link("Tenant", f"/d/jobfleet-tenants?var-tenant=${{__value.text}}&{KEPT}"),
    Link("Jobs in the log", "${admin}/admin/jobs?tenant=${__value.text}"),
    Link("Limits", "${admin}/admin/tenants/${__value.text}"),
)
#: From a cell that holds an alert's name.
CELL_ALERT = (Link("When it was told, and its runbook", "${admin}/admin/alerts?name=${__value.text}"),)
#: From a cell that holds a job's id.
CELL_JOB = (
    Link("Timeline", "${admin}/admin/jobs/${__value.text}"),
    Link("Why it does not run", "${admin}/admin/jobs/${__value.text}/why"),
)
#: From a cell that holds the id of a dead letter.
CELL_DEAD = (
    Link("Dead letter with its traceback", "${admin}/admin/dead/${__value.text}"),
    Link("Timeline", "${admin}/admin/jobs/${__value.text}"),
)


def dashboard_links() -> list[dict[str, Any]]:
    """What stands above each dashboard: the others, and the monitor's own pages."""
    return [
        {
            "type": "dashboards",
            "title": "jobfleet",
            "tags": [TAG],
            "asDropdown": False,
            "includeVars": True,
            "keepTime": True,
            "targetBlank": False,
            "icon": "dashboard",
        },
        _page("Jobs", "/admin/jobs", "All jobs of the log; needs the viewer's token."),
        _page("Dead letters by error", "/admin/dead/groups", "Needs the viewer's token."),
        _page("Alerts", "/admin/alerts", "What Alertmanager told, with runbooks; needs the viewer's token."),
        _page("Admin API", "/openapi.json", "All that the monitor answers, with what changes things."),
    ]


def _page(title: str, path: str, tooltip: str) -> dict[str, Any]:
    return {
        "type": "link",
        "title": title,
        "url": f"${{admin}}{path}",
        "tooltip": tooltip,
        "targetBlank": True,
        "icon": "external link",
        "keepTime": False,
        "includeVars": False,
        "tags": [],
    }
