"""What a dashboard's PromQL makes of series that a test makes up, by Prometheus' own arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from scraped import promtool

#: The minute of the last samples that are asked about.
END = "10m"


def wrong(folder: Path, expr: str, series: Mapping[str, str], expected: Mapping[str, float]) -> str:
    """What speaks against an expression having these values, by labels, after ten minutes; nothing if it has them.

    Parameters:
      folder: where the question can be written down.
      series: name and labels -> values, one a minute, as promtool writes them.
    """
    filled = expr.replace("$namespace", ".*").replace("$queue", ".*").replace("$__range", END)
    case: dict[str, Any] = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": filled,
                "eval_time": END,
                "exp_samples": [{"labels": labels, "value": value} for labels, value in expected.items()],
            }
        ],
    }
    path = folder / "question.yml"
    path.write_text(yaml.safe_dump({"tests": [case]}))
    done = promtool("test", "rules", str(path))
    return "" if done.returncode == 0 else (done.stdout + done.stderr).decode()
