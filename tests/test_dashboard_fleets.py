"""Several fleets on one dashboard: one that is well does not hide another that is not."""

from __future__ import annotations

from pathlib import Path

from dashboard_arithmetic import wrong
from dashboards import asked, asked_by

#: The fleet "shop" has jobs in three queues and no worker in the first, waits too long in the second and is paused in the
#: third; in the fleet "bank" all of that is well.
SERIES = {
    'jobfleet_queue_jobs{namespace="shop", queue="email", state="waiting"}': "7x10",
    'jobfleet_queue_jobs{namespace="bank", queue="email", state="waiting"}': "3x10",
    'jobfleet_workers{namespace="shop", queue="email"}': "0x10",
    'jobfleet_workers{namespace="bank", queue="email"}': "4x10",
    'jobfleet_queue_jobs{namespace="shop", queue="report", state="waiting"}': "0x10",
    'jobfleet_queue_jobs{namespace="bank", queue="report", state="waiting"}': "0x10",
    'jobfleet_workers{namespace="shop", queue="report"}': "0x10",
    'jobfleet_workers{namespace="bank", queue="report"}': "1x10",
    'jobfleet_queue_oldest_wait_seconds{namespace="shop", queue="report"}': "60x10",
    'jobfleet_queue_oldest_wait_seconds{namespace="bank", queue="report"}': "50x10",
    'jobfleet_queue_wait_objective_seconds{namespace="shop", queue="report"}': "30x10",
    'jobfleet_queue_wait_objective_seconds{namespace="bank", queue="report"}': "100x10",
    'jobfleet_queue_jobs{namespace="shop", queue="ai", state="waiting"}': "0x10",
    'jobfleet_queue_jobs{namespace="bank", queue="ai", state="waiting"}': "0x10",
    'jobfleet_queue_paused{namespace="shop", queue="ai"}': "1x10",
    'jobfleet_queue_paused{namespace="bank", queue="ai"}': "0x10",
    'jobfleet_queue_jobs{namespace="bank", queue="export", state="waiting"}': "0x10",
}


def test_the_sign_of_a_queue_is_the_worst_of_all_fleets(tmp_path: Path) -> None:
    signs = {'{queue="email"}': 4, '{queue="report"}': 2, '{queue="ai"}': 1, '{queue="export"}': 0}

    assert not wrong(tmp_path, asked_by("overview", "Queues", "Sign").text, SERIES, signs)


def test_a_queue_that_one_fleet_does_not_serve_is_unserved(tmp_path: Path) -> None:
    assert not wrong(tmp_path, asked("workers", "Unserved queues").text, SERIES, {"{}": 1})


def test_a_wait_is_held_against_the_objective_of_its_own_fleet(tmp_path: Path) -> None:
    share = asked_by("overview", "Queues", "Of objective").text

    assert not wrong(tmp_path, share, SERIES, {'{queue="report"}': 2})
