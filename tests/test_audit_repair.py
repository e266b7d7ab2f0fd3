"""Whatever hands do to the keys of a fleet, a repair mends: nothing is found any more, and every job runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from audit_scene import PLACES, AuditScene
from command import parsed, run, run_all
from damages import DAMAGES, Damage, lose_the_place, scribble_over_the_key
from dramatiq import Message

from jobfleet.broker import FairBroker
from jobfleet.broker.key_types import key_type

#: Keys whose loss is no job's: what is forgotten in them is made anew, or was there for convenience.
#: (means and vtime: fair order begins anew; marks, settled, answer, ended: what only repeats need. Nothing tells of
#: them that they were there, nor of a tenant's times, a group's size and a result: see docs/guarantees.md.)
UNMISSED = {
    "journal", "vtime", "means", "tags", "times", "wake", "worker", "host", "marks", "settled", "answer", "ended",
    "starts", "group", "result",
}  # fmt: skip


@pytest.mark.parametrize(("damage", "lost"), [(damage, lost) for damage, _, lost in DAMAGES])
def test_what_is_found_is_mended(broker: FairBroker, damage: Damage, lost: set[str]) -> None:
    # Given a fleet that was damaged by hand
    scene = AuditScene(broker)
    damage(scene)

    # When it is repaired
    report = broker.audit(repair=True)

    # Then what was found is told with what was done, nothing is left to find, and every job runs
    assert report.findings and report.repairs
    assert report.mended and not report.left, str(report)
    assert broker.audit().clean
    assert scene.finish() == set(PLACES) - lost
    assert broker.audit().clean, str(broker.audit())
    assert broker.client.hlen(broker.keys.jobs) == 0


def test_a_repair_of_what_is_right_changes_nothing(broker: FairBroker) -> None:
    scene = AuditScene(broker)
    report = broker.audit(repair=True)
    assert report.clean and not report.repairs
    assert "clean" in str(report)
    # Not even when each script is run
    broker.scripts.call_once("repair_totals")
    broker.scripts.call_once("repair_waiting", "default")
    assert scene.places() == PLACES
    assert broker.audit().clean, str(broker.audit())
    assert scene.finish() == set(PLACES)


def damaged_scenes(broker: FairBroker, damage: Callable[[Any, str], object]) -> Iterator[tuple[str, AuditScene]]:
    """For each key of the scene, by its name, a scene in which that one is damaged."""
    names = sorted(AuditScene(broker).names())
    for name in names:
        fresh = FairBroker(client=broker.client, namespace=f"{broker.keys.prefix[1:-1]}-{names.index(name)}")
        scene = AuditScene(fresh)
        own = name if name in scene.names() else next(key for key in scene.names() if is_like(key, name))
        damage(fresh.client, scene.prefix + own)
        yield own, scene
        fresh.scripts.close()


def is_like(key: str, name: str) -> bool:
    """Workers have names of their own in each scene, and so have the half minutes in which jobs end."""
    return key.partition(":")[0] == name.partition(":")[0]


def test_each_key_that_is_deleted_is_named_and_mended(broker: FairBroker) -> None:
    unnamed, unmended = set(), dict[str, str]()
    for name, scene in damaged_scenes(broker, lambda client, key: client.delete(key)):
        report = scene.broker.audit(repair=True)
        if report.clean:
            unnamed.add(name.split(":")[0])
        lost = set(PLACES) if name == "jobs" else set[str]()
        if report.left or scene.finish() != set(PLACES) - lost or not scene.broker.audit().clean:
            unmended[name] = f"{report} {scene.broker.audit()} {scene.places()}"
    assert unmended == {}
    assert unnamed <= UNMISSED, unnamed - UNMISSED


def turn_into_another_type(client: Any, key: str) -> None:
    was = client.type(key)
    client.delete(key)
    if was == b"string":
        client.rpush(key, "scribble")
    else:
        client.set(key, "scribble")


def test_each_key_that_is_of_another_type_is_named_and_mended(broker: FairBroker) -> None:
    unmended = dict[str, str]()
    for name, scene in damaged_scenes(broker, turn_into_another_type):
        report = scene.broker.audit(repair=True)
        assert [(finding.kind, finding.name) for finding in report.findings] == [("type", name)]
        lost = set(PLACES) if name == "jobs" else set[str]()
        if report.left or scene.finish() != set(PLACES) - lost or not scene.broker.audit().clean:
            unmended[name] = f"{report} {scene.broker.audit()} {scene.places()}"
    assert unmended == {}


def test_the_type_of_every_key_is_known(broker: FairBroker) -> None:
    scene = AuditScene(broker)
    broker.journal.announce()
    scene.finish()
    for name in scene.names():
        assert broker.commands.execute_command("TYPE", scene.prefix + name).decode() == key_type(name), name


def test_keys_of_jobs_that_nobody_knows_are_freed_only_where_the_archive_was_asked(broker: FairBroker) -> None:
    # Given a key whose job is gone, as a dead letter's that has left for PostgreSQL
    scene = AuditScene(broker)
    (key,) = (name for name in scene.names() if name.startswith("key:"))
    sent = broker.commands.get(scene.prefix + key)
    assert sent
    broker.client.set(f"{scene.prefix}{key}-2", sent.replace(b"keyed", b"going"))
    # Then without an archive nobody can know that it is no dead letter's
    assert broker.audit().clean
    # And nothing but a letter in the archive keeps it
    broker.archive = cast("Any", Archived({"going"}))
    assert broker.audit().clean
    broker.archive = cast("Any", Archived(set()))
    report = broker.audit(repair=True)
    assert report.by_kind() == {"key": 1}
    assert report.mended
    assert not broker.client.exists(f"{scene.prefix}{key}-2")
    assert broker.client.exists(scene.prefix + key)


class Archived:
    """An archive that holds some dead letters."""

    def __init__(self, ids: set[str]) -> None:
        self.ids = ids

    def dead_letter(self, job_id: str) -> Any:
        return job_id if job_id in self.ids else None


def test_a_key_that_is_remembered_again_is_that_of_the_same_payload(broker: FairBroker) -> None:
    scene = AuditScene(broker)
    (key,) = (name for name in scene.names() if name.startswith("key:"))
    before = broker.client.get(scene.prefix + key)
    scribble_over_the_key(scene)
    assert broker.audit(repair=True).mended
    assert broker.client.get(scene.prefix + key) == before


def test_the_command_repairs(broker: FairBroker, fleet_environment: dict[str, str]) -> None:
    # Given a job that stands nowhere
    scene = AuditScene(broker)
    lose_the_place(scene)

    # When the audit is told to repair
    (said,) = run_all([["audit", "--repair"]], fleet_environment)

    # Then it tells what it found and did, and ends well; and so does the next one
    assert said.status == 0, said
    assert "lost: waiting" in said.output
    assert "mended: waiting stood nowhere: it went to the front of its line" in said.output
    assert "all mended by" in said.output.splitlines()[-1]
    again = run(fleet_environment, "audit", "--repair", "--json")
    assert again.status == 0
    assert parsed(again)["clean"] and parsed(again)["repairs"] == []


def test_a_job_that_is_sent_after_the_state_was_forgotten_and_mended_waits_behind_those_before_it(
    broker: FairBroker,
) -> None:
    # Given a fleet whose state was deleted, and a job that was sent since
    scene = AuditScene(broker)
    broker.client.delete(broker.keys.fleet)
    assert "arrivals are counted from the beginning" in str(broker.audit())
    assert broker.audit(repair=True).mended

    # When another one is sent
    broker.enqueue(Message("default", "act", (), {"tenant_id": "acme"}, {}, "newest"))

    # Then it is the last of its line
    line = broker.commands.zrevrange(broker.keys.line("default", "acme"), 0, -1)
    assert line == [b"newest", b"keyed", b"next", b"waiting"]
    assert scene.finish() == {*PLACES, "newest"}


def test_a_recorder_is_known_again_with_what_it_records_after_the_state_was_forgotten(broker: FairBroker) -> None:
    # Given a recorder, and the fleet's state deleted
    broker.journal.announce()
    AuditScene(broker)
    broker.client.delete(broker.keys.fleet)

    # When it has recorded the first entry
    first, *others = broker.journal.read()
    broker.journal.recorded(first.position, first.size, [])

    # Then the journal is counted, and trimmed only behind it, again
    assert broker.client.hget(broker.keys.fleet, "recorder") == b"1"
    assert broker.journal.lag()[0] == sum(entry.size for entry in others)


@pytest.mark.parametrize("deleted", [True, False])
def test_a_group_whose_size_is_lost_never_sends_its_callbacks_early(broker: FairBroker, deleted: bool) -> None:
    scene = AuditScene(broker)
    group = f"{scene.prefix}group:members"
    if deleted:
        broker.client.delete(group)
    else:
        broker.client.hset(group, "size", "scribble")
        assert "its callbacks are not sent" in str(broker.audit(repair=True))
    assert broker.audit().clean
    callback = [2, "callback", "default", "acme", "told", 5, 0, b"", ""]
    for job_id in ("active", "running"):
        assert scene.worker.settle(job_id, "completed", ["", "", 0], group=["members", 60_000, [callback]]) == 0
    assert broker.get("callback") is None
