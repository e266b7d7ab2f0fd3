"""An application that sends while things fail, and sends again what it was told was not sent."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any, Self

from dramatiq.errors import ConnectionClosed
from faults_fleet import nap

from jobfleet.broker import FairBroker
from jobfleet.broker.errors import BacklogFull


class Sender:
    """A thread that sends naps one by one, each until it is accepted.

    Parameters:
      url: the server's address.
      namespace: of the fleet.
      numbers: of the naps.
      pause: seconds between two sends.
      options: of ``nap``.
    """

    def __init__(self, url: str, namespace: str, numbers: range, *, pause: float = 0.002, **options: Any) -> None:
        self._broker = FairBroker(url, namespace=namespace)
        self._numbers = numbers
        self._pause = pause
        self._options = options
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        #: Jobs that were accepted.
        self.accepted = 0
        #: What sends were refused with.
        self.refusals: list[Exception] = []
        #: The longest time that one send took to be refused, in seconds.
        self.longest = 0.0

    def _run(self) -> None:
        for number in self._numbers:
            message = nap(number, **self._options)
            while not self._stop.is_set() and not self._send(message):
                self._stop.wait(0.1)
            if self._stop.wait(self._pause):
                return

    def _send(self, message: Any) -> bool:
        began = time.monotonic()
        try:
            self._broker.enqueue(message)
        except (ConnectionClosed, BacklogFull) as refusal:
            self.refusals.append(refusal)
            self.longest = max(self.longest, time.monotonic() - began)
            return False
        self.accepted += 1
        return True

    def finish(self, timeout: float) -> None:
        """Wait until all is accepted."""
        self._thread.join(timeout)
        assert not self._thread.is_alive(), f"{self.accepted} accepted, last refusal {self.refusals[-1:]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(30)
        self._broker.close()
