"""What the journal gives its readers, also where somebody has written nonsense into it."""

from __future__ import annotations

import logging

import pytest
from journal_events import append, enqueued, event, job, recording
from wait import eventually

from jobfleet.broker import FairBroker
from jobfleet.broker.scripts import pack

#: Fields of an entry that cannot be read, and how many events it announces.
UNREADABLE: dict[str, tuple[dict[str, bytes], int]] = {
    "no field of ours": ({"x": b"y"}, 0),
    "nothing": ({"e": b""}, 0),
    "no array": ({"e": pack("text")}, 4),
    "a number": ({"e": pack(7)}, 0),
    "cut off": ({"e": pack([enqueued(), enqueued()])[:-20]}, 2),
    "bytes of no meaning": ({"e": b"\xc1\xff\x00"}, 0),
    "an event that is none": ({"e": pack([7, "seven", None])}, 3),
    "too few fields": ({"e": pack([["completed", 1, "job-1"]])}, 1),
    "a time in words": ({"e": pack([["completed", "soon", "job-1", "42", "email", "act", 1, "", {}]])}, 1),
    "a job of no name": ({"e": pack([["completed", 1, None, "42", "email", "act", 1, "", {}]])}, 1),
    "a detail that is none": ({"e": pack([["completed", 1, "job-1", "42", "email", "act", 1, "", "detail"]])}, 1),
}


@pytest.mark.parametrize(("fields", "size"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_entry_that_cannot_be_read_is_passed_over_with_an_error(
    broker: FairBroker, caplog: pytest.LogCaptureFixture, fields: dict[str, bytes], size: int
) -> None:
    append(broker, enqueued("before"))
    broker.client.execute_command("XADD", broker.keys.journal, "*", *(part for pair in fields.items() for part in pair))
    append(broker, enqueued("behind"))

    with caplog.at_level(logging.ERROR):
        before, unreadable, behind = broker.journal.read()

    assert [entry.events[0].job_id for entry in (before, behind)] == ["before", "behind"]
    assert (unreadable.events, unreadable.size) == ([], size)
    assert unreadable.position in caplog.text


def test_the_events_beside_one_that_cannot_be_read_count(broker: FairBroker) -> None:
    append(broker, enqueued("good"), "nonsense")

    (entry,) = broker.journal.read()

    assert [found.job_id for found in entry.events] == ["good"]
    assert entry.size == 2


def test_fields_that_a_newer_version_has_added_are_passed_over(broker: FairBroker) -> None:
    append(broker, [*event("completed"), "newer"])

    (entry,) = broker.journal.read()

    assert [(found.kind, found.job_id) for found in entry.events] == [("completed", "job-1")]


def test_the_recorder_goes_on_behind_an_entry_that_it_cannot_read(broker: FairBroker, database_url: str) -> None:
    broker.client.xadd(broker.keys.journal, {"e": b"\xc1"})
    append(broker, enqueued("behind"))
    broker.client.xadd(broker.keys.journal, {"e": b"\xc1"})

    with recording(broker, database_url):
        eventually(lambda: broker.journal.read() == [])

    assert job(database_url, "behind")["status"] == "pending"
