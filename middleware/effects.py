"""Guards an effect on the outside world, so that a job that runs twice has it once.

1. ``intend``: before the effect, a row says that it is about to happen.
2. The effect happens.
3. ``record``: after it, the row says that it has happened. A job that finds this row is skipped.
4. A run that ended between 1 and 3 leaves a doubt: nobody knows whether the effect happened. Each actor says
   beforehand what a later run then does (``InDoubt``).
5. An effect that certainly did not happen takes its row back (``withdraw``), so that a retry starts anew.
6. When the database is away at step 3, the effect is not repeated: the job completes, its result says that it
   could not be recorded, and its record goes another way (``middleware/effect_records.py``).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from enum import Enum, auto
from typing import Protocol, TypeVar

from ..broker.errors import PermanentFailure, Unavailable

T = TypeVar("T")

#: Seconds for which a record is tried again while the database is away.
RECORD_PATIENCE_SECONDS = 5.0
#: Seconds between two tries.
RECORD_PAUSE_SECONDS = 0.25

_logger = logging.getLogger(__name__)


class Effect(Enum):
    """What the row of an effect says when a run looks at it."""

    #: No run has come this far.
    NEW = auto()
    #: A run came as far as the effect and never said how it ended.
    IN_DOUBT = auto()
    #: It has happened.
    DONE = auto()


class InDoubt(Enum):
    """What a run does when an earlier one left a doubt."""

    #: Have the effect again, because one too many does less harm than none.
    REPEAT = auto()
    #: Take it for done.
    SKIP = auto()
    #: Leave it to a person: the job becomes a dead letter.
    FAIL = auto()


class EffectInDoubt(Exception):
    """Raised by an effect that cannot tell whether it happened, such as when an answer was lost."""


class Ledger(Protocol):
    """The rows in which an effect is written down."""

    def intend(self) -> Effect:
        """Say that the effect is about to happen, and learn what is known of it."""

    def record(self) -> None:
        """Say that it has happened."""

    def withdraw(self) -> None:
        """Say that it did not happen."""


def once(ledger: Ledger, effect: Callable[[], None], *, in_doubt: InDoubt) -> tuple[bool, bool]:
    """Have an effect unless an earlier run of the same job had it.

    Parameters:
      effect: raises ``EffectInDoubt`` when it may or may not have happened; any other Exception says that it
        did not.
      in_doubt: what to do when an earlier run left a doubt.

    Returns:
      whether the effect happened in this run, and whether that is recorded.

    Raises:
      Unavailable: the database is away before the effect.
      PermanentFailure: there is a doubt and ``in_doubt`` is FAIL.
    """
    known = ledger.intend()
    if known is Effect.DONE or (known is Effect.IN_DOUBT and in_doubt is InDoubt.SKIP):
        return False, True
    if known is Effect.IN_DOUBT and in_doubt is InDoubt.FAIL:
        raise PermanentFailure("an earlier run ended in the middle; nobody knows whether it had its effect")
    try:
        effect()
    except EffectInDoubt:
        raise
    except Exception:
        _try(ledger.withdraw)
        raise
    return True, patiently(ledger.record)


def patiently(record: Callable[[], None], seconds: float = RECORD_PATIENCE_SECONDS) -> bool:
    """Write down what has already happened, over and over while the database is away, up to a limit.

    Returns:
      whether it is written.
    """
    deadline = time.monotonic() + seconds
    while not _try(record):
        if time.monotonic() >= deadline:
            return False
        time.sleep(RECORD_PAUSE_SECONDS)
    return True


def _try(write: Callable[[], None]) -> bool:
    try:
        write()
    except Unavailable as error:
        _logger.warning("An effect could not be recorded: %s", error)
        return False
    return True
