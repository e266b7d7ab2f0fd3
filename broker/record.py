"""What a job's record and lease in Redis hold; the twin of ``lua/record.lua``."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import JobfleetError
from .scripts import unpack

#: The version of the stored format that this code reads and writes.
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Record:
    """One job as Redis holds it."""

    queue: str
    tenant_id: str
    actor: str
    priority: int
    #: Attempts that have ended.
    attempts: int
    #: When it was sent, ms since the epoch.
    created_ms: int
    #: Workers lost while they ran it.
    losses: int
    key: str
    message: bytes
    #: Since when it could run, ms since the epoch; for a scheduled job, when it was sent or failed last.
    since_ms: int

    @classmethod
    def decode(cls, packed: bytes) -> Record:
        """Read a packed record.

        Raises:
          JobfleetError: it was written by a newer version.
        """
        version, queue, tenant, actor, priority, attempts, created, losses, key, message, since, *_ = unpack(packed)
        if version != FORMAT:
            raise JobfleetError(f"a job has format {version}, this version of jobfleet reads {FORMAT}: upgrade it")
        return cls(
            queue=queue,
            tenant_id=tenant,
            actor=actor,
            priority=priority,
            attempts=attempts,
            created_ms=int(created),
            losses=losses,
            key=key,
            message=message.encode("utf-8", "surrogateescape"),
            since_ms=int(since),
        )
