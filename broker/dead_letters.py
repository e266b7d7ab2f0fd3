"""Dead letters: list, show, replay, discard. Redis holds the newest, PostgreSQL all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from heapq import merge
from itertools import islice

from dramatiq.errors import DecodeError
from dramatiq.message import Message

from .archive import Archive
from .commands import Commands
from .connection import reachable
from .dead_letter import DeadLetter
from .dead_letter_filter import DeadLetterFilter
from .keys import Keys
from .policy import KEY_TTL
from .record import Record
from .scripts import Scripts, pack, unpack
from .slices import slices

#: Dead letters that are read, replayed or discarded in one round trip.
SLICE = 100

#: Names of their own, since ``list`` is a method here.
Ids = list[str]
Letters = list[DeadLetter]


class DeadLetters:
    """The jobs of a namespace that failed for good."""

    def __init__(self, client: Commands, keys: Keys, scripts: Scripts, archive: Callable[[], Archive | None]) -> None:
        self._client = client
        self._keys = keys
        self._scripts = scripts
        self._archive = archive

    def list(
        self,
        *,
        queue: str | None = None,
        tenant: str | None = None,
        actor: str | None = None,
        error: str | None = None,
        limit: int = 100,
    ) -> Letters:
        """The newest dead letters that match all that is given.

        Parameters:
          queue, tenant, actor: exact names.
          error: a part of the error's text.
          limit: how many at most.

        Raises:
          JobfleetError: one of them is empty; left out it means any.
        """
        wanted = DeadLetterFilter(queue=queue, tenant=tenant, actor=actor, error=error)
        with reachable(self._client):
            queues = self._queues() if queue is None else [queue]
            each = (filter(wanted.matches, self._in_redis(name)) for name in queues)
            newest = islice(merge(*each, key=_newest_first), limit)
            found = {letter.job_id: letter for letter in newest}
        if archive := self._archive():
            stored = archive.dead_letters(**asdict(wanted), limit=limit)
            with reachable(self._client):
                found = {letter.job_id: letter for letter in self._archived(stored)} | found
        return sorted(found.values(), key=_newest_first)[:limit]

    def show(self, job_id: str) -> DeadLetter | None:
        """One dead letter, wherever it is."""
        with reachable(self._client):
            failures = self._failures([job_id])
            packed = self._client.hget(self._keys.jobs, job_id)
            if packed is not None:
                letters = tuple(self._decode([job_id.encode()], [packed], failures))
                return letters[0] if letters else None
        archive = self._archive()
        return archive.dead_letter(job_id) if archive else None

    def replay(self, job_ids: Iterable[str]) -> Ids:
        """Send dead letters again: same ids, a new budget of attempts.

        Returns:
          The ids that were dead and are waiting now.
        """
        return self._each_slice(job_ids, self._replay)

    def discard(self, job_ids: Iterable[str], reason: str = "discarded by an operator") -> Ids:
        """Give dead letters up for good.

        Returns:
          The ids that were dead.
        """
        return self._each_slice(job_ids, lambda letters: self._discard(letters, reason))

    def _each_slice(self, job_ids: Iterable[str], act: Callable[[Sequence[DeadLetter]], Ids]) -> Ids:
        ids = tuple(dict.fromkeys(job_ids))
        done: Ids = []
        for batch in slices(ids, SLICE):
            letters = [letter for job_id in batch if (letter := self.show(job_id))]
            if letters:
                with reachable(self._client):
                    done.extend(act(letters))
        return done

    def _replay(self, letters: Sequence[DeadLetter]) -> Ids:
        rows = [
            [d.job_id, d.failed_ms, d.queue, d.tenant_id, d.actor, d.priority, d.attempts, d.created_ms, d.key, _ttl(d)]
            for d in letters
        ]
        outcomes = self._scripts.call_once("replay", pack(rows), *(_fresh(letter.message) for letter in letters))
        return [letter.job_id for letter, outcome in zip(letters, outcomes, strict=True) if outcome]

    def _discard(self, letters: Sequence[DeadLetter], reason: str) -> Ids:
        archived = {letter.job_id: letter.failed_ms for letter in letters if letter.archived}
        archive = self._archive()
        given_up = set(archive.discard(archived)) if archive and archived else set()
        rows = [
            [d.job_id, d.failed_ms, d.queue, d.tenant_id, d.actor, d.attempts, d.key, int(d.job_id in given_up)]
            for d in letters
        ]
        outcomes = self._scripts.call_once("discard", pack(rows), reason)
        return [letter.job_id for letter, outcome in zip(letters, outcomes, strict=True) if outcome]

    def _queues(self) -> Ids:
        return sorted(name.decode() for name in self._client.smembers(self._keys.queues))

    def _archived(self, stored: Sequence[DeadLetter]) -> Iterator[DeadLetter]:
        """Those of what is stored that Redis does not have: what it has, it knows better."""
        for letters in slices(stored, SLICE):
            asked = self._client.pipeline(transaction=False)
            for letter in letters:
                asked.hexists(self._keys.jobs, letter.job_id)
            yield from (letter for letter, held in zip(letters, asked.execute(), strict=True) if not held)

    def _in_redis(self, queue: str) -> Iterator[DeadLetter]:
        start = 0
        while ids := self._client.zrevrange(self._keys.dead(queue), start, start + SLICE - 1):
            failures = self._failures([job_id.decode() for job_id in ids])
            yield from self._decode(ids, self._client.hmget(self._keys.jobs, ids), failures)
            start += SLICE

    def _failures(self, ids: Sequence[str]) -> Sequence[bytes | None]:
        """Why jobs are dead; to be read before their records, which are then no older than that."""
        return self._client.hmget(self._keys.failures, ids)

    @staticmethod
    def _decode(
        ids: Sequence[bytes], records: Sequence[bytes | None], failures: Sequence[bytes | None]
    ) -> Iterator[DeadLetter]:
        for job_id, packed, failed in zip(ids, records, failures, strict=True):
            if packed is None or failed is None:
                continue
            record = Record.decode(packed)
            reason, error, kind, traceback, at_ms = unpack(failed)
            yield DeadLetter(
                job_id=job_id.decode(),
                queue=record.queue,
                tenant_id=record.tenant_id,
                actor=record.actor,
                priority=record.priority,
                attempts=record.attempts,
                reason=reason,
                error=error,
                error_type=kind,
                traceback=traceback,
                created_ms=record.created_ms,
                failed_ms=int(at_ms),
                key=record.key,
                message=record.message,
            )


def _newest_first(letter: DeadLetter) -> int:
    return -letter.failed_ms


def _fresh(encoded: bytes) -> bytes:
    """The message with its count of retries reset; one that cannot be read is sent as it is."""
    try:
        message = Message.decode(encoded)
    except DecodeError:
        return encoded
    for option in ("retries", "traceback", "requeue_timestamp"):
        message.options.pop(option, None)
    fresh: bytes = message.encode()
    return fresh


def _ttl(letter: DeadLetter) -> int:
    """For how many ms the letter's key is remembered once the job has completed after all."""
    try:
        return int(Message.decode(letter.message).options.get(KEY_TTL, 0)) if letter.key else 0
    except (DecodeError, ValueError, TypeError):
        return 0
