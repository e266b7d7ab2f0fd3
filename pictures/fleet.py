"""The running fleet, as what happens to it needs it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from jobfleet.broker import FairBroker
from jobfleet.broker.errors import ConfigurationError
from jobfleet.cli.embedded_process import EmbeddedProcess
from jobfleet.cli.webhook_receiver import WebhookReceiver

#: Seconds that the workers get to join.
JOIN_SECONDS = 60.0


class Fleet:
    """Monitor and workers, with what they speak to.

    Parameters:
      broker: over which the application sends.
      receiver: where webhooks go.
      processes: by name; not yet started.
      commands: what each of them runs.
      monitor_port: where the monitor answers HTTP.
    """

    def __init__(
        self,
        broker: FairBroker,
        receiver: WebhookReceiver,
        processes: Mapping[str, EmbeddedProcess],
        commands: Mapping[str, Sequence[str]],
        monitor_port: int,
    ) -> None:
        self.broker = broker
        self.receiver = receiver
        self.monitor_port = monitor_port
        self._processes = processes
        self._commands = commands

    def start(self) -> None:
        """Start all processes and wait until the workers have joined.

        Raises:
          ConfigurationError: a process ended, or they took too long.
        """
        for name in self._processes:
            self.revive(name)
        deadline = time.monotonic() + JOIN_SECONDS
        while self.broker.client.zcard(self.broker.keys.workers) < len(self._processes) - 1:
            self.check()
            if time.monotonic() > deadline:
                raise ConfigurationError(f"the workers did not join within {JOIN_SECONDS:g} s")
            time.sleep(0.1)

    def kill(self, name: str) -> None:
        """End a process as a crash would."""
        self._processes[name].kill()

    def revive(self, name: str) -> None:
        """Start a process."""
        self._processes[name].start(self._commands[name])

    def check(self) -> None:
        """Look whether all run.

        Raises:
          ConfigurationError: one has ended; with the end of its log.
        """
        for name, process in self._processes.items():
            if process.pid is None:
                lines = process.log.read_text(errors="replace").strip().splitlines()
                raise ConfigurationError(f"{name} has ended: {lines[-1] if lines else 'it said nothing'}")

    def stop(self) -> None:
        """Let all end in good order."""
        with ThreadPoolExecutor(len(self._processes)) as threads:
            for stopped in [threads.submit(process.stop) for process in self._processes.values()]:
                stopped.result()
