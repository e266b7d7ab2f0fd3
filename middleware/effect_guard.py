"""The steps around one effect of one run; ``once_per_job`` puts them in order.

A record that cannot be written because the database is away goes two ways, with the settle of the run: the recorder
writes it (``effect_records``), and the job's own message carries it to the next run, which may come earlier.
"""

from __future__ import annotations

import inspect
import json
import logging
import re
from typing import Any

from ..broker.errors import InvalidPayload, PermanentFailure, Unavailable
from ..broker.lease import Lease
from ..broker.settings import settings
from . import effect_records
from .effect_ledger import EffectLedger, KnownEffect
from .effects import RECORD_PATIENCE_SECONDS, Effect, InDoubt, patiently
from .plain_json import plain_json

#: Errors of an effect that say of themselves that it did not happen.
NOT_DONE: tuple[type[Exception], ...] = (Unavailable, PermanentFailure)
#: The option of a message that holds effects whose records are not written: name -> [run, result].
UNRECORDED = "unrecorded_effects"
#: Bytes that a message must have left beside such a record, for what a retry puts into it; else the recorder alone
#: writes it.
RETRY_ROOM = 32_768

#: A NUL in JSON text: its escape, behind no backslash or an even number of them.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")

_logger = logging.getLogger(__name__)


class EffectGuard:
    """Lets one run have one effect, or tells it what an earlier run had.

    Parameters:
      ledger: the effect's row.
      name: what the effect is called.
      lease: the run.
      on_doubt: what to do when an earlier run left a doubt.
      not_done: further errors of the effect that say that it did not happen.
    """

    def __init__(
        self, ledger: EffectLedger, name: str, lease: Lease, on_doubt: InDoubt, not_done: tuple[type[Exception], ...]
    ) -> None:
        self._ledger = ledger
        self._lease = lease
        self._name = name
        self._on_doubt = on_doubt
        self._not_done = (*NOT_DONE, *not_done)

    def begin(self) -> KnownEffect:
        """Write the intention down, or learn what is known.

        Raises:
          Unavailable: the database is away.
          PermanentFailure: there is a doubt that a person must end, or this run has had an effect of this name.
        """
        known = self._carried() or self._ledger.intend()
        if known.in_this_run:
            # A retry would find both done and pass over the second one without a word.
            raise PermanentFailure(f"this run has two effects named {self._name!r}; give each a name of its own")
        if known.state is Effect.IN_DOUBT and self._on_doubt is InDoubt.FAIL:
            raise PermanentFailure(
                f"an earlier run ended in the middle of the effect {self._name!r}; nobody knows whether it happened"
            )
        return known

    def goes_on(self, known: KnownEffect) -> bool:
        """Whether this run is to have the effect."""
        return known.state is Effect.NEW or (known.state is Effect.IN_DOUBT and self._on_doubt is InDoubt.REPEAT)

    def failed(self, error: Exception) -> None:
        """The effect raised: take the intention back where the error says that it did not happen."""
        if isinstance(error, self._not_done):
            # Not written, it is a doubt, which is the safe side.
            patiently(self._ledger.withdraw, seconds=0.0)

    def happened(self, result: Any) -> Any:
        """The effect is over: record it.

        Returns:
          the result as a later run will get it: of nothing but what JSON holds.

        Raises:
          PermanentFailure: the result cannot be kept; the effect is recorded without it.
        """
        self._refuse_unawaited(result)
        try:
            plain = _keepable(result)
        except InvalidPayload as error:
            self._record(None)
            raise PermanentFailure(
                f"the effect {self._name!r} happened and is recorded, but what it returned cannot be kept: {error}"
            ) from error
        self._record(plain)
        return plain

    def _record(self, plain: Any) -> None:
        written = False
        try:
            written = patiently(lambda: self._ledger.record(plain), RECORD_PATIENCE_SECONDS)
        finally:
            # Also when the run is interrupted while it waits for the database.
            if not written:
                self._hand_over(plain)

    def _hand_over(self, plain: Any) -> None:
        _logger.warning("The effect %r of %s happened; the recorder will write it down", self._name, self._ledger)
        effect_records.leave("effect", self._ledger.values(plain))
        carried = {**self._lease.options.get(UNRECORDED, {}), self._name: [self._ledger.run, plain]}
        if len(self._lease.message) + len(json.dumps(carried)) <= settings().payload_max - RETRY_ROOM:
            self._lease.options[UNRECORDED] = carried

    def _carried(self) -> KnownEffect | None:
        """What an earlier run could not record; recorded now, or carried on."""
        carried = self._lease.options.get(UNRECORDED, {})
        if self._name not in carried:
            return None
        run, result = carried[self._name]
        known = KnownEffect(state=Effect.DONE, result=result, in_this_run=run == self._ledger.run)
        if not known.in_this_run and patiently(lambda: self._ledger.record(result), seconds=0.0):
            del carried[self._name]
        return known

    def _refuse_unawaited(self, result: Any) -> None:
        if inspect.iscoroutine(result):
            result.close()
            patiently(self._ledger.withdraw, seconds=0.0)
            raise PermanentFailure(f"the effect {self._name!r} is async and did not happen; use once_per_job_async")


def _keepable(result: Any) -> Any:
    plain = plain_json(result, "result")
    text = json.dumps(plain, ensure_ascii=False)
    size = len(text.encode())
    if size > settings().payload_max:
        raise InvalidPayload(f"result has {size} bytes; allowed are {settings().payload_max}", field="result")
    if _NUL.search(text):
        raise InvalidPayload("result holds a NUL character, which PostgreSQL does not store", field="result")
    return plain
