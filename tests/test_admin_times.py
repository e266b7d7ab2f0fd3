"""Lists between two moments: the first one counts, the last one does not, and the two are not each other."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from admin_site import TOKENS, data
from alerts_told import alert, notification
from http_client import Client
from journal_events import SENT_MS, append, enqueued, recording
from published_limits import plain_sql
from wait import eventually

from jobfleet.broker import FairBroker
from jobfleet.middleware.database import Database
from jobfleet.middleware.job_history import JobHistory
from jobfleet.monitoring.alert_log import AlertLog

#: Moments a second apart, and the name of what was sent or told at each.
MOMENTS = [datetime.fromtimestamp(SENT_MS / 1000 + second, UTC) for second in range(4)]
NAMES = ["email", "report", "webhook", "export"]

#: From and until which of the moments, and the names that are found, the newest first.
CASES = [
    (None, None, ["export", "webhook", "report", "email"]),
    (1, None, ["export", "webhook", "report"]),
    (None, 1, ["email"]),
    (1, 3, ["webhook", "report"]),
    (3, 1, []),
    (2, 2, []),
]


@pytest.fixture
def jobs(broker: FairBroker, database_url: str) -> None:
    """A job of each name."""
    append(broker, *(enqueued(name, after_ms=1_000 * second) for second, name in enumerate(NAMES)))
    with recording(broker, database_url):
        eventually(lambda: broker.journal.read() == [])


@pytest.fixture
def alerts(served: str, database_url: str) -> None:
    """An alert of each name, first told of at its moment."""
    with Client(served, TOKENS.alertmanager) as client:
        data(client.post("/alerts", json=notification(*(alert(queue=name) for name in NAMES))))
    for name, moment in zip(NAMES, MOMENTS, strict=True):
        told = f"UPDATE alert_notifications SET received_at = '{moment.isoformat()}' WHERE labels->>'queue' = '{name}'"
        plain_sql(database_url, told)


def asked(since: int | None, until: int | None) -> dict[str, str]:
    """The two moments as a request gives them."""
    given = {"since": since, "until": until}
    return {name: MOMENTS[moment].isoformat() for name, moment in given.items() if moment is not None}


@pytest.mark.usefixtures("jobs")
@pytest.mark.parametrize(("since", "until", "found"), CASES)
def test_jobs_between_two_moments(
    viewer: Client, pool: Database, since: int | None, until: int | None, found: list[str]
) -> None:
    listed = data(viewer.get("/admin/jobs", params=asked(since, until)))["jobs"]
    assert [job["job_id"] for job in listed] == found

    first, last = (None if moment is None else MOMENTS[moment] for moment in (since, until))
    assert [job.job_id for job in JobHistory(pool).jobs(since=first, before=last)] == found


@pytest.mark.usefixtures("alerts")
@pytest.mark.parametrize(("since", "until", "found"), CASES)
def test_alerts_between_two_moments(
    viewer: Client, pool: Database, since: int | None, until: int | None, found: list[str]
) -> None:
    listed = data(viewer.get("/admin/alerts", params=asked(since, until)))["alerts"]
    assert {row["labels"]["queue"] for row in listed} == set(found)

    first, last = (None if moment is None else MOMENTS[moment] for moment in (since, until))
    stored = AlertLog(pool).alerts(since=first, before=last)
    assert {row["labels"]["queue"] for row in stored} == set(found)


@pytest.mark.usefixtures("jobs")
def test_a_page_goes_on_within_the_moments(viewer: Client) -> None:
    given = {**asked(0, 3), "limit": "2"}
    first = data(viewer.get("/admin/jobs", params=given))
    rest = data(viewer.get("/admin/jobs", params={**given, "after": first["next"]}))

    pages = [[job["job_id"] for job in page["jobs"]] for page in (first, rest)]
    assert pages == [["webhook", "report"], ["email"]]
