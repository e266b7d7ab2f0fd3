"""The worker processes of a contender."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from jobfleet.benchmarks.processes import cpu_seconds, proportional_bytes, session_members

#: Seconds that a worker gets to stop by itself.
STOP_SECONDS = 8.0


class Workers:
    """Running programs, each the leader of a session of its own, so that all it starts can be found and ended.

    Parameters:
      commands: the programs.
      environment: what they get to see.
      log: where they write.
    """

    def __init__(self, commands: list[list[str]], environment: dict[str, str], log: Path) -> None:
        with log.open("a") as output:
            self._units = [
                subprocess.Popen(
                    command,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
                for command in commands
            ]

    def members(self) -> list[int]:
        """All their processes."""
        return [pid for unit in self._units for pid in session_members(unit.pid)]

    def alive(self) -> bool:
        """Whether all of the programs still run."""
        return all(unit.poll() is None for unit in self._units)

    def cpu(self) -> float:
        """CPU seconds that they have used."""
        return cpu_seconds(self.members())

    def memory(self) -> int:
        """Bytes that they need, as proportional set size."""
        return proportional_bytes(self.members())

    def kill_last(self) -> None:
        """End the last program and all that it has started, as an out-of-memory kill would."""
        _signal(self._units[-1].pid, signal.SIGKILL)
        self._units.pop().wait()

    def stop(self) -> None:
        """Ask them to stop, then make them."""
        for unit in self._units:
            unit.terminate()
        for unit in self._units:
            with suppress(subprocess.TimeoutExpired):
                unit.wait(timeout=STOP_SECONDS)
            _signal(unit.pid, signal.SIGKILL)
            unit.wait()
        self._units.clear()


def _signal(session: int, number: signal.Signals) -> None:
    for pid in session_members(session):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
