"""The plan table and what ``jobfleet.toml`` may make of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jobfleet.broker.errors import ConfigurationError
from jobfleet.broker.plans import PLANS, Plan
from jobfleet.broker.settings import settings

GOLD = "[plans.gold]\nconcurrency = 50\nmax_jobs_per_minute = 5000\nweight = 16\nmax_backlog = 50_000\n"


def configure(text: str) -> None:
    Path(os.environ["JOBFLEET_CONFIG"]).write_text(text)
    settings.cache_clear()


def test_without_a_file_there_are_the_four_plans() -> None:
    assert {name: tuple(vars(plan).values())[1:] for name, plan in settings().plans.items()} == {
        "free": (2, 10, 1, 1_000),
        "starter": (5, 50, 2, 10_000),
        "pro": (10, 200, 4, 100_000),
        "enterprise": (20, 1_000, 8, 1_000_000),
    }


def test_the_file_changes_a_plan_and_names_another() -> None:
    configure(f"[plans.pro]\nweight = 5\n{GOLD}")

    plans = settings().plans

    assert plans["pro"] == Plan(name="pro", concurrency=10, max_jobs_per_minute=200, weight=5, max_backlog=100_000)
    assert plans["gold"].max_jobs_per_minute == 5_000
    assert list(plans) == ["free", "starter", "pro", "enterprise", "gold"]
    assert plans["free"] == PLANS["free"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("plans = 3", r"must be tables, such as \[plans.pro\]"),
        ("[plans]\npro = 3", r"\[plans.pro\] has 3; allowed are concurrency, max_jobs_per_minute, weight, max_backlog"),
        ("[plans.pro]\nwieght = 3", r"\[plans.pro\] has wieght; allowed are concurrency"),
        ("[plans.pro]\nconcurrency = 0", r"\[plans.pro\] concurrency is 0; allowed is a whole number from 1 to 10,000"),
        ("[plans.pro]\nconcurrency = 10_001", r"concurrency is 10001; allowed"),
        ("[plans.pro]\nconcurrency = true", r"concurrency is True; allowed"),
        ("[plans.pro]\nconcurrency = 2.0", r"concurrency is 2.0; allowed"),
        ("[plans.pro]\nconcurrency = 'all'", r"concurrency is 'all'; allowed"),
        ("[plans.pro]\nmax_jobs_per_minute = 0", r"max_jobs_per_minute is 0; allowed is a whole number from 1"),
        ("[plans.pro]\nweight = 1001", r"weight is 1001; allowed is a whole number from 1 to 1,000"),
        ("[plans.pro]\nmax_backlog = -1", r"max_backlog is -1; allowed"),
        (
            "[plans.gold]\nweight = 9",
            r"\[plans.gold\] is a new plan and needs concurrency, max_jobs.*, max_backlog too",
        ),
        (GOLD.replace("gold", '"go ld"'), r"'go ld' names no plan; allowed are 1 to 64"),
    ],
)
def test_what_is_wrong_in_the_file_is_said(text: str, complaint: str) -> None:
    configure(text)

    with pytest.raises(ConfigurationError, match=complaint):
        settings()
