"""The recorder writes every event exactly once, whatever dies in between."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from journal_events import append, ended, enqueued, event, failed, job, recording, rows, runs
from wait import eventually

from jobfleet.broker import FairBroker
from jobfleet.broker.journal import Journal
from jobfleet.cli.embedded_postgres import EmbeddedPostgres
from jobfleet.cli.embedded_redis import EmbeddedRedis
from jobfleet.middleware.database import Database
from jobfleet.monitoring.log_writer import LogWriter, PositionTaken

COUNT_BY_STATUS = "SELECT status, count(*) AS n FROM job_logs GROUP BY status ORDER BY status"
#: Notes how each session commits that moves the recorder's position.
NOTE_COMMITS = """
CREATE TABLE commits (value TEXT NOT NULL);
CREATE FUNCTION note_commit() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO commits VALUES (current_setting('synchronous_commit'));
  RETURN NULL;
END
$$;
CREATE TRIGGER note_commit AFTER UPDATE ON recorder_position EXECUTE FUNCTION note_commit();
"""
POSITION = "SELECT position FROM recorder_position"
#: Sessions of recorders: those that hold an advisory lock, or wait for their turn.
SESSIONS = """
SELECT pid, EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pg_locks.pid = activity.pid) AS leads
FROM pg_stat_activity AS activity
WHERE datname = current_database() AND application_name = 'jobfleet'
"""


def kill_leader(database_url: str) -> list[int]:
    """End the sessions that lead; returns their ids."""
    query = f"SELECT pid, pg_terminate_backend(pid) FROM ({SESSIONS}) AS session WHERE leads"
    return [row["pid"] for row in rows(database_url, query)]


def test_the_journal_is_trimmed_behind_what_is_recorded(broker: FairBroker, database_url: str) -> None:
    # Given a recorder that has announced itself
    with recording(broker, database_url) as recorder:
        eventually(recorder.leading.is_set)

        # When events come in
        append(broker, enqueued())
        last = append(broker, ended("completed", 300))

        # Then they are recorded, trimmed, and nothing lags
        eventually(lambda: broker.journal.read() == [])
        assert rows(database_url, POSITION) == [{"position": last}]
        assert recorder.lag() == (0, 0.0)


def test_lag_is_told_while_nobody_records(broker: FairBroker, database_url: str) -> None:
    with recording(broker, database_url) as recorder:
        eventually(recorder.leading.is_set)
    append(broker, enqueued(), ended("completed", 300))

    events, seconds = recorder.lag()

    assert events == 2
    assert seconds >= 0


def test_a_batch_that_was_stored_but_not_trimmed_is_not_stored_again(
    broker: FairBroker, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a recorder that dies after its commit, before it can tell Redis
    told: list[Any] = []

    def dies(self: Journal, *what: Any) -> None:
        told.append(what)
        raise ConnectionResetError("the recorder's host is gone")

    broker.journal.announce()
    append(broker, enqueued())
    append(broker, failed(900))
    with monkeypatch.context() as patch, recording(broker, database_url):
        patch.setattr(Journal, "recorded", dies)
        eventually(lambda: told)
    before = job(database_url), runs(database_url), rows(database_url, "SELECT * FROM dead_letters")
    assert len(broker.journal.read()) == 2

    # When the next one goes on
    monkeypatch.setattr(Journal, "recorded", noting(told := []))
    with recording(broker, database_url) as recorder:
        eventually(lambda: broker.journal.read() == [])

    # Then nothing was written twice, and Redis was told of the dead letter that is stored
    assert (job(database_url), runs(database_url), rows(database_url, "SELECT * FROM dead_letters")) == before
    assert [dead for _, _, dead, _ in told] == [[("email", "job-1")]]
    assert recorder.lag() == (0, 0.0)


def noting(told: list[Any]) -> Any:
    recorded = Journal.recorded

    def note(self: Journal, *what: Any) -> None:
        told.append(what)
        recorded(self, *what)

    return note


def test_of_two_recorders_one_writes_and_the_other_takes_over(broker: FairBroker, database_url: str) -> None:
    with recording(broker, database_url) as first:
        eventually(first.leading.is_set)
        with recording(broker, database_url) as second:
            # Given one that leads and one that stands by
            append(broker, enqueued("a"))
            eventually(lambda: broker.journal.read() == [])
            eventually(lambda: len(rows(database_url, SESSIONS)) == 2)
            assert not second.leading.is_set()

            # When the leader's session is killed again and again while events come in
            for number in range(5):
                append(broker, *(enqueued(f"{number}-{index}") for index in range(20)))
                kill_leader(database_url)
                append(broker, *(ended("completed", 300, f"{number}-{index}") for index in range(20)))

            # Then somebody always goes on
            eventually(lambda: broker.journal.read() == [])
            assert first.leading.is_set() != second.leading.is_set()
    assert rows(database_url, COUNT_BY_STATUS) == [{"status": "completed", "n": 100}, {"status": "pending", "n": 1}]
    assert rows(database_url, "SELECT count(*) AS n FROM job_attempts") == [{"n": 100}]


def test_a_session_killed_in_the_middle_of_a_batch_leaves_no_half_of_it(broker: FairBroker, database_url: str) -> None:
    with recording(broker, database_url) as recorder, psycopg.connect(database_url) as blocker:
        # Given a batch whose jobs are written and whose dead letter must wait for a lock
        eventually(recorder.leading.is_set)
        blocker.execute("LOCK TABLE dead_letters IN EXCLUSIVE MODE")
        append(broker, enqueued(), ended("retry", 300, error="E: e", due_ms=0), failed(900, attempt=2))
        eventually(lambda: rows(database_url, "SELECT 1 FROM pg_locks WHERE NOT granted"))

        # When its session is killed there
        killed = kill_leader(database_url)
        alive = "SELECT 1 FROM pg_stat_activity WHERE pid = ANY(%s)"
        eventually(lambda: not rows(database_url, alive, killed))
        assert rows(database_url, COUNT_BY_STATUS) == []
        blocker.rollback()

        # Then the batch is written whole and once by the next session
        eventually(lambda: broker.journal.read() == [])
    assert job(database_url)["status"] == "failed"
    assert [run["outcome"] for run in runs(database_url)] == ["retry", "failed"]


def test_a_recorder_that_believes_to_lead_cannot_store_what_another_has_stored(
    broker: FairBroker, database_url: str
) -> None:
    # Given two writers at the same position, as if the lock had been lost unnoticed
    append(broker, enqueued(), ended("retry", 300, error="away", due_ms=0))
    entries = broker.journal.read()
    database = Database(database_url)
    with database.direct() as one, database.direct() as other:
        slow, quick = LogWriter(one, "fleet"), LogWriter(other, "fleet")

        # When both write the same batch
        quick.write(entries)
        with pytest.raises(PositionTaken):
            slow.write(entries)

    # Then it is stored once
    assert len(runs(database_url)) == 1


@pytest.mark.parametrize(("given", "used"), [("off", "on"), ("local", "local"), ("remote_write", "remote_write")])
def test_commits_survive_the_server_also_where_those_of_others_do_not(
    broker: FairBroker, database_url: str, given: str, used: str
) -> None:
    # Given a database whose sessions commit in some way, and one that notes how the recorder's does
    name = urlsplit(database_url).path[1:]
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = {given}'.encode())
        connection.execute(NOTE_COMMITS)

    # When it records
    with recording(broker, database_url):
        append(broker, enqueued())
        eventually(lambda: broker.journal.read() == [])

    # Then its commits are at least as safe as they were
    assert {row["value"] for row in rows(database_url, "SELECT value FROM commits")} == {used}


def test_namespaces_do_not_hinder_each_other(broker: FairBroker, redis_url: str, database_url: str) -> None:
    other = FairBroker(redis_url, namespace=f"{broker.keys.prefix.strip('{}')}-other")
    append(broker, enqueued("here"))
    append(other, enqueued("there"))

    with recording(broker, database_url), recording(other, database_url):
        eventually(lambda: broker.journal.read() == [] and other.journal.read() == [])

    other.close()
    assert rows(database_url, COUNT_BY_STATUS) == [{"status": "pending", "n": 2}]


def test_the_log_is_complete_after_postgresql_was_away_under_load(
    broker: FairBroker, database_url: str, postgres_server: EmbeddedPostgres, caplog: pytest.LogCaptureFixture
) -> None:
    with recording(broker, database_url) as recorder:
        eventually(recorder.leading.is_set)
        sending = threading.Thread(target=send_many, args=(broker, 150))
        sending.start()
        try:
            # Given a database that stops while events pour in
            eventually(lambda: rows(database_url, COUNT_BY_STATUS))
            postgres_server.stop()
            sending.join()
            assert recorder.lag()[0] > 0
        finally:
            postgres_server.start()

        # When it is back
        eventually(lambda: broker.journal.read() == [], timeout=30)

    # Then the log is complete, and the outage was told once
    assert rows(database_url, COUNT_BY_STATUS) == [{"status": "completed", "n": 1_500}]
    assert rows(database_url, "SELECT count(*) AS n FROM job_attempts") == [{"n": 3_000}]
    assert len([1 for line in caplog.messages if "The recorder cannot record" in line]) == 1


def send_many(broker: FairBroker, entries: int) -> None:
    """Ten jobs an entry, each of which needs two attempts."""
    for number in range(entries):
        ids = [f"{number}-{index}" for index in range(10)]
        append(broker, *(enqueued(job_id) for job_id in ids))
        append(broker, *(ended("retry", 200, job_id, error="E: e", due_ms=0) for job_id in ids))
        append(broker, *(event("started", 300, job_id, attempt=2, worker="worker-1") for job_id in ids))
        append(broker, *(ended("completed", 400, job_id, attempt=2) for job_id in ids))


def test_the_recorder_goes_on_after_redis_was_away(redis_server: EmbeddedRedis, database_url: str) -> None:
    # Given a recorder whose journal survives a restart, as an append-only file makes it
    server = EmbeddedRedis(redis_server.directory.parent / "away")
    server.start()
    try:
        broker = FairBroker(server.url)
        with recording(broker, database_url) as recorder:
            eventually(recorder.leading.is_set)

            # When Redis goes away and comes back
            server.stop()
            eventually(lambda: not recorder.leading.is_set())
            server.start()
            append(broker, enqueued())

            # Then the recorder finds it again
            eventually(lambda: rows(database_url, COUNT_BY_STATUS) == [{"status": "pending", "n": 1}])
        broker.close()
    finally:
        server.remove()


def test_a_database_without_tables_is_waited_for(broker: FairBroker, unmigrated_database_url: str) -> None:
    from jobfleet.deploy.migrate import migrate

    append(broker, enqueued())
    with recording(broker, unmigrated_database_url):
        migrate(unmigrated_database_url)
        eventually(lambda: broker.journal.read() == [])

    assert job(unmigrated_database_url)["status"] == "pending"
