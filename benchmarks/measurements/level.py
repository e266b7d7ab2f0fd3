"""A stage on which a number of jobs waits, and whose worker runs only while it is counted."""

from __future__ import annotations

import time

from jobfleet.benchmarks.stage import Stage
from jobfleet.benchmarks.workers import Workers
from jobfleet.broker import FairBroker

#: Jobs that one bulk send brings while the level is held.
PORTION = 250
#: Seconds without any progress after which it is given up.
PATIENCE = 30.0
#: Seconds without a job after which a paused worker has run all that it had fetched.
CALM_SECONDS = 0.3


class Level:
    """Holds a number of waiting jobs, of as many tenants in turn, while others run; between turns the queue is paused.

    Parameters:
      stage: fresh, but for limits and for tenants that are parked.
      waiting: jobs that wait.
      tenants: tenants that have them.
    """

    def __init__(self, stage: Stage, waiting: int, tenants: int) -> None:
        self.stage, self.waiting, self.tenants = stage, waiting, tenants
        self._broker = FairBroker(stage.server.url)
        self._workers: Workers | None = None
        self._done, self._fleet, self._server = 0, 0.0, 0.0

    def close(self) -> None:
        """Let go of the server."""
        self._broker.close()

    def fill(self, warm_up: int) -> None:
        """Send what waits, start the worker and let it run some jobs that are not counted."""
        for start in range(0, self.waiting, 10_000):
            self.stage.sender.tell("spread", min(10_000, self.waiting - start), self.tenants)
        self._workers = self.stage.start(1)
        self._hold(warm_up)
        self._pause()

    def run(self, jobs: int) -> None:
        """Take a turn: resume, run so many jobs while the level is held, count the CPU, and pause."""
        assert self._workers is not None, "not filled"
        self._broker.resume("default")
        began, fleet, server = self.stage.marks.total(), self._workers.cpu(), self.stage.server.cpu()
        self._hold(began + jobs)
        self._done += self.stage.marks.total() - began
        self._fleet += self._workers.cpu() - fleet
        self._server += self.stage.server.cpu() - server
        self._pause()

    def costs(self) -> dict[str, float]:
        """CPU of Redis (bulk send, fetch and settle) and of the worker per job over all turns, in us."""
        return {"fleet_us": self._fleet / self._done * 1e6, "server_us": self._server / self._done * 1e6}

    def _pause(self) -> None:
        self._broker.pause("default")
        done, since = self.stage.marks.total(), time.monotonic()
        while time.monotonic() - since < CALM_SECONDS:
            time.sleep(0.02)
            if (now := self.stage.marks.total()) > done:
                done, since = now, time.monotonic()

    def _hold(self, until: int) -> None:
        """Send as many as are run, until `until` have run."""
        done, changed = self.stage.marks.total(), time.monotonic()
        sent = int(self.stage.sender.tell("sent").result)
        while done < until:
            if sent - done < self.waiting:
                self.stage.sender.tell("spread", PORTION, self.tenants)
                sent += PORTION
            else:
                time.sleep(0.002)
            now = self.stage.marks.total()
            if now > done:
                done, changed = now, time.monotonic()
            elif time.monotonic() - changed > PATIENCE:
                raise RuntimeError(f"{done} of {until} jobs have run, then none:\n{self.stage.log.read_text()[-2000:]}")
