"""What Prometheus and Alertmanager are told when they watch a fleet on one machine.

The rules are the shipped ones, as they are. Of the shipped Alertmanager's configuration the routes and inhibitions hold,
but nobody gets mail: the monitor is told, and who else is named. Both files are written as JSON, which is YAML.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..broker.errors import ConfigurationError

#: What we ship for Prometheus and Alertmanager.
DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
RULES = DEPLOY / "prometheus" / "rules"
ALERTMANAGER = DEPLOY / "alertmanager" / "alertmanager.yml"

#: The receiver in it that is the monitor.
MONITOR = "monitor"

#: The job under which rules and dashboards expect the monitor.
JOB = "jobfleet-monitor"
#: How often Prometheus looks, for a person who looks as well.
LOOK = "5s"
#: How long Alertmanager collects what it tells at once.
WAIT = "5s"


def prometheus_configuration(
    monitors: Sequence[str], alertmanagers: Sequence[str], *, rules: Path = RULES, interval: str = LOOK
) -> str:
    """The text of ``prometheus.yml``.

    Parameters:
      monitors: host and port of each monitor.
      alertmanagers: host and port of each Alertmanager.
      rules: folder of the rules.
      interval: between two scrapes, and two looks at rules whose group says nothing else, such as ``5s``.
    """
    return json.dumps(
        {
            "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
            "rule_files": [str(rules / "*.yml")],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": list(alertmanagers)}]}]},
            "scrape_configs": [{"job_name": JOB, "static_configs": [{"targets": list(monitors)}]}],
        },
        indent=2,
    )


def alertmanager_configuration(
    told: Mapping[str, Sequence[Mapping[str, Any]]], *, shipped: Path = ALERTMANAGER, wait: str = WAIT
) -> str:
    """The text of ``alertmanager.yml``: as shipped, but for who is told.

    Parameters:
      told: name of a shipped receiver -> where it posts to, as ``webhook_configs`` has it. The others tell nobody.
      shipped: the configuration whose routes and inhibitions hold.
      wait: how long alerts of a group are collected, such as ``5s``.

    Raises:
      ConfigurationError: PyYAML, which reads the shipped file, is not installed.
    """
    found = _read(shipped)
    names = [receiver["name"] for receiver in found["receivers"]]
    receivers = [{"name": name, "webhook_configs": list(told.get(name, ()))} for name in names]
    kept = {name: found[name] for name in ("inhibit_rules", "time_intervals") if name in found}
    return json.dumps({"route": _hastened(found["route"], wait), "receivers": receivers, **kept}, indent=2)


def _hastened(route: Mapping[str, Any], wait: str) -> dict[str, Any]:
    """A route and those below it, with groups that wait for nobody long."""
    below = [_hastened(each, wait) for each in route.get("routes", ())]
    return {**route, "group_wait": wait, "group_interval": wait, **({"routes": below} if below else {})}


def _read(path: Path) -> dict[str, Any]:
    try:
        import yaml
    except ImportError:
        raise ConfigurationError("PyYAML is not installed: pip install 'jobfleet[embedded]'") from None
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    return found
