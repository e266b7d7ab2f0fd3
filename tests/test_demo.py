"""The demo: whole fleets in real processes, and a log that equals what the outside world saw."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from demo_process import PATIENCE, folder_for_all, linux_only, start
from process_tree import all_gone, descendants
from processes import Outcome, bare_environment, run_command
from psycopg.rows import dict_row
from wait import eventually

from jobfleet.cli.embedded_postgres import EmbeddedPostgres
from jobfleet.cli.embedded_redis import EmbeddedRedis
from jobfleet.middleware.queries import Queries

QUERIES = Queries(str(Path(__file__).with_name("demo_log.py")))
#: Seconds by which the log's clock and a witness's may differ.
CLOCKS = 1.0


@dataclass(frozen=True, kw_only=True)
class Demo:
    """A demo that is over."""

    outcome: Outcome
    #: All processes that it had started.
    processes: set[int]
    #: Where its temporary files were.
    folder: Path

    @property
    def lines(self) -> list[str]:
        return self.outcome.output.splitlines()


@pytest.fixture(scope="module")
def two_demos(redis_server: EmbeddedRedis, postgres_server: EmbeddedPostgres) -> Iterator[tuple[Demo, Demo]]:
    """Two demos that ran beside each other; the second kept its home and wrote a report."""
    with folder_for_all() as first_folder, folder_for_all() as second_folder:
        report = second_folder / "report.json"
        with start(first_folder) as first, start(second_folder, "--keep", "--report", str(report)) as second:
            first.says("Sent: ", PATIENCE)
            second.says("Sent: ", PATIENCE)
            processes = [descendants(demo.pid) for demo in (first, second)]
            outcomes = [demo.wait(PATIENCE) for demo in (first, second)]
        yield (
            Demo(outcome=outcomes[0], processes=processes[0], folder=first_folder),
            Demo(outcome=outcomes[1], processes=processes[1], folder=second_folder),
        )


@pytest.fixture(scope="module")
def evidence(two_demos: tuple[Demo, Demo]) -> dict[str, Any]:
    """The report of the second demo."""
    found: dict[str, Any] = json.loads((two_demos[1].folder / "report.json").read_text())
    return found


@pytest.fixture(scope="module")
def log(evidence: dict[str, Any]) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """The second demo's database, started once more on what was kept."""
    server = EmbeddedPostgres(Path(evidence["home"]) / "postgres", fsync=False)
    try:
        server.start()
        with psycopg.connect(server.url, row_factory=dict_row) as connection:
            yield connection
    finally:
        server.remove()


def test_two_demos_beside_each_other_succeed_and_the_audit_has_the_last_word(two_demos: tuple[Demo, Demo]) -> None:
    for demo in two_demos:
        assert (demo.outcome.status, demo.outcome.errors) == (0, ""), demo.outcome.output
        assert demo.lines[-1].startswith("audit: clean")
        assert not [line for line in demo.lines if line.startswith("FAILED")]


def test_the_demo_tells_what_happens(two_demos: tuple[Demo, Demo]) -> None:
    told = two_demos[0].outcome.output
    # Its own configuration is named, progress comes as plain lines
    assert "retries after 1000 ms" in told
    assert "webhook: 50 completed, 6 failed" in told
    # and the queues, a timeline, the dead letters and their replay are shown
    assert "queue    waiting  active  completed  failed  delayed" in told
    assert "attempt 3 completed" in told
    assert "exhausted  WebhookFailed: Webhook failed after 5 attempts" in told
    assert "Replayed: 5 jobs" in told
    assert "webhook: 55 completed, 1 failed" in told


@linux_only
def test_a_demo_leaves_no_process_and_no_file(two_demos: tuple[Demo, Demo]) -> None:
    removed, kept = two_demos
    # Each had servers and workers of its own
    assert len(removed.processes) > 5
    assert not removed.processes & kept.processes
    eventually(lambda: all_gone(removed.processes | kept.processes))
    assert list(removed.folder.iterdir()) == []


def test_a_home_that_is_kept_is_named(two_demos: tuple[Demo, Demo], evidence: dict[str, Any]) -> None:
    assert f"JOBFLEET_HOME={evidence['home']} jobfleet up" in two_demos[1].outcome.output
    assert (Path(evidence["home"]) / "worker-1.log").read_text()


def test_the_job_log_counts_what_was_sent(evidence: dict[str, Any], log: psycopg.Connection[dict[str, Any]]) -> None:
    expected = Counter((job["queue"], job["final_status"]) for job in evidence["jobs"])
    counted = {(row["queue"], row["status"]): row["jobs"] for row in log.execute(QUERIES["counts"])}
    assert counted == expected
    assert sum(counted.values()) > 150


def test_the_job_log_equals_what_mail_server_and_endpoints_saw(
    evidence: dict[str, Any], log: psycopg.Connection[dict[str, Any]]
) -> None:
    # Given what they saw, by the key of the job: when, and the answer
    seen: dict[str, list[tuple[float, int]]] = {}
    for mail in evidence["mails"]:
        seen.setdefault(mail["recipient"], []).append((mail["at"], mail["code"]))
    for webhook in evidence["webhooks"]:
        key = f"{webhook['path']} {webhook['payload']['order']}"
        seen.setdefault(key, []).append((webhook["at"], webhook["status"]))

    # Then the log has the same jobs, and of each the same attempts with the same answers at the same times
    rows = {row["key"]: row for row in log.execute(QUERIES["jobs"])}
    assert rows.keys() == seen.keys() == {job["key"] for job in evidence["jobs"]}
    for key, sights in seen.items():
        row = rows[key]
        assert row["attempts"] == len(row["outcomes"]) == len(sights), key
        attempts = zip(row["outcomes"], row["errors"], row["started"], row["ended"], sights, strict=True)
        for outcome, error, started, ended, (at, answer) in attempts:
            assert started - CLOCKS <= at <= ended + CLOCKS, key
            assert (outcome == "completed") == (answer in (200, 250)), key
            assert error is None if outcome == "completed" else str(answer) in error, key


def test_every_email_arrived_once_under_the_id_of_its_job(
    evidence: dict[str, Any], log: psycopg.Connection[dict[str, Any]]
) -> None:
    arrived = Counter((mail["recipient"], mail["message_id"]) for mail in evidence["mails"] if mail["code"] == 250)
    assert set(arrived.values()) == {1}
    completed = [
        row for row in log.execute(QUERIES["jobs"]) if row["queue"] == "email" and row["status"] == "completed"
    ]
    assert {(row["key"], f"<{row['job_id']}@shop.example>") for row in completed} == arrived.keys()
    assert {(row["recipient"], row["message_id"]) for row in log.execute(QUERIES["sent"])} == arrived.keys()


def test_every_delivery_is_in_the_delivery_log(
    evidence: dict[str, Any], log: psycopg.Connection[dict[str, Any]]
) -> None:
    written = Counter((r["job_id"], r["attempt"], r["http_status"]) for r in log.execute(QUERIES["deliveries"]))
    received = Counter((w["webhook_id"], w["attempt"], w["status"]) for w in evidence["webhooks"])
    assert written == received
    assert all(webhook["signed"] for webhook in evidence["webhooks"])


def test_a_report_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    outcome = run_command(["jobfleet", "demo", "--report", str(tmp_path / "no" / "r.json")], bare_environment())

    assert outcome.status == 1
    assert outcome.output == ""
    assert "is no folder" in outcome.errors
    assert outcome.errors.count("\n") == 1


def test_the_help_teaches() -> None:
    outcome = run_command(["jobfleet", "demo", "--help"], bare_environment())

    assert outcome.status == 0
    for taught in ("--keep", "--report", "exit code is 0 only", "REDIS_URL", "jobfleet demo --keep"):
        assert taught in outcome.output
