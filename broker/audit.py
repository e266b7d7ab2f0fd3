"""Proof of conservation: every accepted job is over, or in exactly one place.

1. Every record is looked at in slices; each slice is one moment.
2. Every member of the lines, of suspects, scheduled, active and dead is looked at, so that nothing
   stands there without a record.
3. Every lease belongs to a registered worker (one that is late is about to be taken back).
4. Per queue, at one moment: accepted = over + here, by the counters that the scripts keep.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from .commands import Commands
from .keys import Keys
from .scripts import Scripts, pack

#: Jobs that one run of the script checks.
SLICE = 200


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be."""

    kind: str
    #: The job, queue or key that it is about.
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.name} {self.text}"


@dataclass(frozen=True)
class AuditReport:
    """What an audit looked at and found."""

    jobs: int
    findings: tuple[Finding, ...]

    @property
    def clean(self) -> bool:
        """Nothing was found."""
        return not self.findings

    def __str__(self) -> str:
        if self.clean:
            return f"audit: clean, {self.jobs} jobs each in one place, all counts true"
        lines = [f"audit: {len(self.findings)} findings in {self.jobs} jobs"]
        return "\n  ".join(lines + [str(finding) for finding in self.findings])


def audit(client: Commands, keys: Keys, scripts: Scripts) -> AuditReport:
    """Walk all keys of the namespace; safe while the fleet runs.

    Raises:
      redis.RedisError: the server is away.
    """
    findings: dict[Finding, None] = {}
    seen: set[str] = set()

    def look_at(ids: Iterable[tuple[str, str, str]]) -> None:
        ids = iter(ids)
        while batch := list(islice(ids, SLICE)):
            seen.update(job_id for job_id, *_ in batch)
            flat = [part for found in batch for part in found]
            findings.update(dict.fromkeys(_findings(scripts.call("audit_jobs", pack(flat)))))

    look_at((field.decode(), "", "") for field, _ in client.hscan_iter(keys.jobs, count=SLICE))
    for queue in sorted(name.decode() for name in client.smembers(keys.queues)):
        for key in (
            keys.suspects(queue),
            keys.halted(queue),
            keys.scheduled(queue),
            keys.active(queue),
            keys.dead(queue),
        ):
            look_at((member.decode(), queue, "") for member, _ in client.zscan_iter(key, count=SLICE))
    look_at(_in_lines(client, keys))
    look_at(_held(client, keys))
    findings.update(dict.fromkeys(_strangers(client, keys)))
    findings.update(dict.fromkeys(_findings(scripts.call("audit_totals"))))
    return AuditReport(len(seen), tuple(findings))


def _findings(flat: list[bytes]) -> Iterator[Finding]:
    words = [word.decode() for word in flat]
    for start in range(0, len(words), 3):
        yield Finding(*words[start : start + 3])


def _in_lines(client: Commands, keys: Keys) -> Iterator[tuple[str, str, str]]:
    start = keys.line("", "")[:-1]
    for key in client.scan_iter(match=_literal(start) + "*", count=SLICE):
        queue, tenant = key.decode()[len(start) :].split(":", 1)
        for member, _ in client.zscan_iter(key, count=SLICE):
            yield member.decode(), queue, tenant


def _held(client: Commands, keys: Keys) -> Iterator[tuple[str, str, str]]:
    for key in client.scan_iter(match=_literal(keys.held("")) + "*", count=SLICE):
        for member, _ in client.zscan_iter(key, count=SLICE):
            yield member.decode(), "", ""


def _strangers(client: Commands, keys: Keys) -> Iterator[Finding]:
    """Leases of workers that are not registered: nobody would ever take them back."""
    start = keys.leases("")
    for key in client.scan_iter(match=_literal(start) + "*", count=SLICE):
        worker = key.decode()[len(start) :]
        if client.zscore(keys.workers, worker) is None and client.hlen(key):
            yield Finding("worker", worker, "holds leases but is not registered")


def _literal(text: str) -> str:
    """A name as a pattern that matches itself only."""
    return "".join(f"\\{char}" if char in "*?[]\\^" else char for char in text)
