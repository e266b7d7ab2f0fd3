"""The tables are those of the written design and defend themselves."""

from __future__ import annotations

import psycopg
import pytest
from journal_events import rows

#: The written columns and their types.
WRITTEN = {
    "id": "bigint",
    "tenant_id": "text",
    "job_id": "character varying(255)",
    "job_type": "character varying(100)",
    "queue": "character varying(50)",
    "status": "character varying(50)",
    "attempts": "integer",
    "payload": "jsonb",
    "result": "jsonb",
    "error": "text",
    "created_at": "timestamp with time zone",
    "started_at": "timestamp with time zone",
    "completed_at": "timestamp with time zone",
    "failed_at": "timestamp with time zone",
}

GOOD = {
    "job_logs": {"job_id": "'a'", "job_type": "'send_email'", "queue": "'email'", "status": "'pending'"},
    "job_attempts": {
        "job_id": "'known'",
        "run": "1",
        "attempt": "1",
        "outcome": "'completed'",
        "started_at": "now()",
        "ended_at": "now()",
    },
    "dead_letters": {
        "job_id": "'a'",
        "original_queue": "'email'",
        "actor": "'send_email'",
        "message": "'{}'",
        "error": "'e'",
        "reason": "'exhausted'",
        "failed_at": "now()",
    },
    "sent_emails": {"job_id": "'a'", "tenant_id": "'42'", "recipient": "'a@b.c'", "message_id": "'<a@b>'"},
    "webhooks": {"tenant_id": "'42'", "url": "'https://a.b'", "secret": "'s'"},
    "webhook_deliveries": {
        "job_id": "'a'",
        "tenant_id": "'42'",
        "event": "'order.paid'",
        "status": "'success'",
        "attempt": "1",
        "url": "'https://a.b'",
    },
    "recorder_position": {"namespace": "'fleet'"},
}

BAD = [
    ("job_logs", {"status": "'done'"}),
    ("job_logs", {"status": "'completed'"}),
    ("job_logs", {"completed_at": "now()"}),
    ("job_logs", {"status": "'failed'", "error": "'e'"}),
    ("job_logs", {"status": "'failed'", "failed_at": "now()"}),
    ("job_logs", {"failed_at": "now()"}),
    ("job_logs", {"status": "'active'"}),
    ("job_logs", {"status": "'scheduled'"}),
    ("job_logs", {"attempts": "-1"}),
    ("job_logs", {"priority": "0"}),
    ("job_logs", {"priority": "10"}),
    ("job_logs", {"progress": "1.01"}),
    ("job_logs", {"wait_ms": "-1"}),
    ("job_logs", {"run_ms": "-1"}),
    ("job_attempts", {"job_id": "'unknown'"}),
    ("job_attempts", {"outcome": "'pending'"}),
    ("job_attempts", {"outcome": "'running'"}),
    ("job_attempts", {"outcome": "'running'", "ended_at": "NULL", "started_at": "NULL"}),
    ("job_attempts", {"outcome": "'retry'"}),
    ("job_attempts", {"run": "0"}),
    ("job_attempts", {"attempt": "-1"}),
    ("job_attempts", {"ended_at": "NULL"}),
    ("dead_letters", {"status": "'failed'"}),
    ("dead_letters", {"status": "'replayed'"}),
    ("dead_letters", {"status": "'discarded'"}),
    ("dead_letters", {"discarded_at": "now()"}),
    ("dead_letters", {"message": "''"}),
    ("dead_letters", {"priority": "0"}),
    ("dead_letters", {"attempts": "-1"}),
    ("sent_emails", {"status": "'sent'"}),
    ("sent_emails", {"sent_at": "now()"}),
    ("sent_emails", {"status": "'maybe'"}),
    ("webhooks", {"url": "'ftp://a.b'"}),
    ("webhooks", {"secret": "''"}),
    ("webhooks", {"events": "'{}'"}),
    ("webhooks", {"disabled_at": "now()"}),
    ("webhook_deliveries", {"status": "'failed'"}),
    ("webhook_deliveries", {"status": "'maybe'"}),
    ("webhook_deliveries", {"attempt": "0"}),
    ("webhook_deliveries", {"http_status": "99"}),
    ("webhook_deliveries", {"response_time_ms": "-1"}),
    ("webhook_deliveries", {"webhook_id": "4711"}),
    ("recorder_position", {"position": "'somewhere'"}),
    ("recorder_position", {"left_out": "-1"}),
]


def insert(connection: psycopg.Connection, table: str, values: dict[str, str]) -> None:
    connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(values.values())})".encode())


@pytest.fixture
def connection(database_url: str) -> psycopg.Connection:
    connection = psycopg.connect(database_url)
    insert(connection, "job_logs", {**GOOD["job_logs"], "job_id": "'known'"})
    return connection


@pytest.mark.parametrize("table", GOOD)
def test_a_good_row_is_taken(connection: psycopg.Connection, table: str) -> None:
    with connection:
        insert(connection, table, GOOD[table])


@pytest.mark.parametrize(("table", "wrong"), BAD, ids=[f"{table} {wrong}" for table, wrong in BAD])
def test_a_wrong_row_is_refused(connection: psycopg.Connection, table: str, wrong: dict[str, str]) -> None:
    with connection, pytest.raises(psycopg.IntegrityError):
        insert(connection, table, {**GOOD[table], **wrong})


def test_the_log_has_the_written_columns_and_indexes(database_url: str) -> None:
    columns = rows(
        database_url,
        "SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute "
        "WHERE attrelid = 'job_logs'::regclass AND attnum > 0",
    )
    indexes = rows(database_url, "SELECT indexname AS name FROM pg_indexes WHERE tablename = 'job_logs'")

    assert {row["name"]: row["type"] for row in columns if row["name"] in WRITTEN} == WRITTEN
    assert {"idx_job_logs_tenant", "idx_job_logs_status", "idx_job_logs_created"} <= {row["name"] for row in indexes}


def test_removing_a_job_removes_its_timeline(connection: psycopg.Connection) -> None:
    with connection:
        insert(connection, "job_attempts", GOOD["job_attempts"])
        connection.execute("DELETE FROM job_logs WHERE job_id = 'known'")

        assert connection.execute("SELECT count(*) FROM job_attempts").fetchone() == (0,)
