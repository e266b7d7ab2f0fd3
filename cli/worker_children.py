"""The processes that work, as children of ``jobfleet up`` and ``jobfleet worker``."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence

from ..broker.settings import settings
from .child import Child

#: Milliseconds that a stopping worker waits beyond the longest time limit of its queues.
SHUTDOWN_SLACK_MS = 30_000


def worker_children(
    modules: Sequence[str],
    queues: Sequence[str],
    *,
    processes: int,
    threads: int,
    environment: Mapping[str, str],
    death_signal: signal.Signals,
    verbose: bool = False,
    say: Callable[[str, str], None] | None = None,
) -> list[Child]:
    """Processes that each run ``threads`` jobs at once; not yet started.

    Each is a whole command of Dramatiq's with one process: in a command with several, the death of one ends all.

    Parameters:
      modules: the application's modules, which declare actors.
      queues: what they serve.
      environment: all that they see of the environment.
      death_signal: what they get when we are killed.
      verbose: let Dramatiq log in detail.
      say: prints a name and a line of theirs; they write to our own output if None.
    """
    longest = max(settings().queue(name).time_limit_ms for name in queues)
    arguments = [*modules, "--processes", "1", "--threads", str(threads), *(["--verbose"] if verbose else [])]
    arguments += ["--worker-shutdown-timeout", str(longest + SHUTDOWN_SLACK_MS), "--queues", *queues]
    names = ["worker"] if processes == 1 else [f"worker-{number}" for number in range(1, processes + 1)]
    command = ["jobfleet.cli.worker_process", *arguments]
    return [Child(name, command, environment, death_signal=death_signal, say=say) for name in names]
