"""What dashboards call new is all that is new, by Prometheus' own arithmetic."""

from __future__ import annotations

from pathlib import Path

import pytest
from dashboard_arithmetic import wrong

from jobfleet.grafana.metrics import DEAD_LETTERED, WORKERS_LOST

FLEET = "jobfleet_journal_lag_entries"
DEAD = "jobfleet_dead_lettered_total"
OF_EMAIL = 'queue="email", actor="send_email", reason="permanent"'
#: As long as the series that are seen.
WINDOW = "10m"


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        pytest.param({FLEET: "0x10", f"{DEAD}{{{OF_EMAIL}}}": "_x5 500x5"}, 500, id="an actor that nobody knew before"),
        pytest.param({FLEET: "_x5 0x5", f"{DEAD}{{{OF_EMAIL}}}": "_x5 500x5"}, 0, id="a fleet that nobody saw before"),
        pytest.param({FLEET: "0x10", f"{DEAD}{{{OF_EMAIL}}}": "500x4 502x5"}, 2, id="two more"),
        pytest.param(
            {FLEET: "0x4 stale 0x4", f"{DEAD}{{{OF_EMAIL}}}": "500x4 stale 501x4"}, 1, id="Redis was away for a scrape"
        ),
        pytest.param({FLEET: "0x10", f"{DEAD}{{{OF_EMAIL}}}": "500x4 0x1 3x4"}, 3, id="Redis was emptied"),
        pytest.param(
            {
                f'{FLEET}{{instance="a"}}': "0x4 stale",
                f'{FLEET}{{instance="b"}}': "_x5 0x5",
                f'{DEAD}{{{OF_EMAIL}, instance="a"}}': "500x4 stale",
                f'{DEAD}{{{OF_EMAIL}, instance="b"}}': "_x5 500x5",
            },
            0,
            id="a monitor that was replaced",
        ),
        pytest.param(
            {
                f'{FLEET}{{instance="a"}}': "0x10",
                f'{FLEET}{{instance="b"}}': "_x3 0x7",
                f'{DEAD}{{{OF_EMAIL}, instance="a"}}': "_x6 7x4",
                f'{DEAD}{{{OF_EMAIL}, instance="b"}}': "_x6 7x4",
            },
            7,
            id="a new actor seen by two monitors",
        ),
    ],
)
def test_what_is_new_is_counted_from_where_it_began(tmp_path: Path, series: dict[str, str], expected: float) -> None:
    assert not wrong(tmp_path, DEAD_LETTERED.growth(window=WINDOW), series, {"{}": expected})
    by_actor = DEAD_LETTERED.growth("queue", "actor", window=WINDOW)
    assert not wrong(tmp_path, by_actor, series, {'{queue="email", actor="send_email"}': expected})


def test_fleets_that_were_seen_since_different_moments_do_not_mix(tmp_path: Path) -> None:
    series = {
        f'{FLEET}{{namespace="shop"}}': "0x10",
        f'{FLEET}{{namespace="bank"}}': "_x5 0x5",
        f'{DEAD}{{{OF_EMAIL}, namespace="shop"}}': "_x5 40x5",
        f'{DEAD}{{{OF_EMAIL}, namespace="bank"}}': "_x5 500x4 501x1",
    }

    found = wrong(tmp_path, DEAD_LETTERED.growth("queue", window=WINDOW), series, {'{queue="email"}': 41})

    assert not found


def test_a_metric_without_labels_grows_too(tmp_path: Path) -> None:
    series = {FLEET: "0x10", "jobfleet_workers_lost_total": "3x4 5x5"}

    assert not wrong(tmp_path, WORKERS_LOST.growth(window=WINDOW), series, {"{}": 2})
