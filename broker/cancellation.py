"""Cancel by filter: jobs are found in walks and ended a slice at a time."""

from __future__ import annotations

from collections.abc import Iterator

from .cancel_filter import STATES, CancelFilter
from .cancelled_jobs import CancelledJobs
from .scripts import Scripts, pack
from .slices import slices
from .unfinished_jobs import UnfinishedJobs

#: Jobs that one run of the script looks at.
SLICE = 200
#: Walks over all jobs: one finds what a walk before it has missed because it went back meanwhile.
WALKS = 3


class Cancellation:
    """One cancel of what was sent before it.

    Parameters:
      wanted: which jobs are meant.
      jobs: finds them.
      scripts: of the namespace.
      dry_run: change nothing.
    """

    def __init__(self, wanted: CancelFilter, jobs: UnfinishedJobs, scripts: Scripts, *, dry_run: bool) -> None:
        self._wanted = wanted
        self._jobs = jobs
        self._scripts = scripts
        self._dry_run = dry_run
        #: Jobs that were sent later are not meant; ms by the server's clock, 0 for now.
        self._until = 0

    def carry_out(self) -> CancelledJobs:
        """Cancel them, or only tell which they are.

        Raises:
          redis.RedisError: the server is away; what was cancelled until then is.
        """
        done = dict(self._walk())
        # What is sent within this very millisecond may come after it.
        self._until -= 1
        for _ in range(0 if self._dry_run or not done else WALKS - 1):
            before = len(done)
            done |= dict(self._walk())
            if len(done) == before:
                break
        found = {state: tuple(job_id for job_id, was in done.items() if was == state) for state in STATES}
        return CancelledJobs(**found, dry_run=self._dry_run)

    def _walk(self) -> Iterator[tuple[str, str]]:
        """Ids of jobs that matched, each with its state."""
        ids = self._jobs.ids(self._wanted.queue, self._wanted.tenant, self._wanted.states)
        for batch in slices(ids, SLICE):
            request = pack([self._until, *self._wanted.row(), batch])
            if self._dry_run:
                now, *states = self._scripts.call("cancel_many", "", request)
            else:
                now, *states = self._scripts.call_once("cancel_many", request)
            self._until = self._until or now
            yield from ((job_id, state.decode()) for job_id, state in zip(batch, states, strict=True) if state)
