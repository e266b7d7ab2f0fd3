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


def test_a_fleet_with_threads_to_spare_does_not_lighten_the_load_of_another(tmp_path: Path) -> None:
    series = {
        'jobfleet_queue_jobs{namespace="shop", queue="email", state="waiting"}': "90x10",
        'jobfleet_queue_jobs{namespace="bank", queue="email", state="waiting"}': "2x10",
        'jobfleet_worker_threads{namespace="shop", queue="email"}': "10x10",
        'jobfleet_worker_threads{namespace="bank", queue="email"}': "80x10",
    }

    assert not wrong(tmp_path, asked_by("workers", "Queues", "Load").text, series, {'{queue="email"}': 9})


def test_threads_count_once_in_each_fleet(tmp_path: Path) -> None:
    # Given a fleet of which one queue is looked at, one whose threads serve two that are, and one that has none of them
    series = {
        'jobfleet_worker_threads{namespace="shop", queue="email"}': "2x10",
        'jobfleet_fleet_threads{namespace="shop"}': "4x10",
        'jobfleet_worker_threads{namespace="bank", queue="email"}': "4x10",
        'jobfleet_worker_threads{namespace="bank", queue="report"}': "4x10",
        'jobfleet_fleet_threads{namespace="bank"}': "4x10",
        'jobfleet_fleet_threads{namespace="farm"}': "50x10",
    }

    assert not wrong(tmp_path, asked("workers", "Threads").text, series, {"{}": 6})


def test_a_wait_is_held_against_the_objective_of_its_own_fleet(tmp_path: Path) -> None:
    share = asked_by("overview", "Queues", "Of objective").text

    assert not wrong(tmp_path, share, SERIES, {'{queue="report"}': 2})
