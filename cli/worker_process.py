"""One process of workers: ``python -m jobfleet.cli.worker_process``, Dramatiq's own command with what a fleet needs.

1. Its arguments are those of Dramatiq's command, without the broker: that is the fleet's.
2. Dramatiq forks one process that works. It dies with this one, however this one dies.
3. Lines look as the fleet's do; Dramatiq finds them configured and leaves that alone.
4. When the worker's threads run, whoever watches over us learns it (``ready_mark``).
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

from dramatiq.cli import main, make_argument_parser

from ..middleware.logs import configure_logging
from . import ready_mark
from .parent_death import forked_children_die_with_us


def run(arguments: Sequence[str]) -> int:
    """Work until told to stop; returns the exit code."""
    forked_children_die_with_us()
    broker = f"{ready_mark.__name__}:{ready_mark.marked_broker.__name__}"
    chosen = make_argument_parser().parse_args([broker, *arguments])
    configure_logging(level=logging.DEBUG if chosen.verbose else logging.INFO)
    status: int = main(chosen)
    return status


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
