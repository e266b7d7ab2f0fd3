"""A guard for what an actor does outside: each named effect of a job happens once, also when the job runs again.

1. Before the effect a row in ``effects`` says that it is about to happen. Without the database nothing happens.
2. The effect happens.
3. The row says so and keeps what it returned. A later run of the same job finds that, and gets it without the effect.
4. A run that ended between 1 and 3 (a kill, an interrupt, an error that does not say whether it happened) leaves a
   doubt, and the next run does what the actor has said beforehand: ``on_doubt``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar, cast

from ..broker.errors import ConfigurationError
from ..broker.lease import current_lease
from .database import database
from .effect_guard import EffectGuard
from .effect_ledger import EffectLedger, resolve
from .effects import InDoubt

T = TypeVar("T")

#: What a run does when an earlier one left a doubt.
OnDoubt = Literal["repeat", "skip", "fail"]
#: The errors by which an effect says that it did not happen.
Errors = tuple[type[Exception], ...]

#: Characters of an effect's name.
NAME_MAX = 255


def once_per_job(name: str, effect: Callable[[], T], *, on_doubt: OnDoubt, not_done: Errors = ()) -> T | None:
    """Have an effect unless an earlier run of the same job had it; returns what it returned, then or now.

    >>> @actor(queue_name="billing")
    ... def bill(*, tenant_id: TenantId, order: str, cents: int) -> str:
    ...     charge = once_per_job("charge-card", lambda: gateway.charge(order, cents), on_doubt="fail")
    ...     once_per_job("mail-receipt", lambda: send_receipt(order, charge), on_doubt="repeat")
    ...     return charge["id"]

    The policy for a doubt has no default, because only you know which harm is smaller:

    - ``"repeat"``: once more rather than not at all. Exactly once where the other side knows a repeat by a key that
      you send with it, such as ``f"{current_job().job_id}:charge-card"``.
    - ``"skip"``: not at all rather than once more; returns None. An effect that raised is not had again either.
    - ``"fail"``: the job becomes a dead letter. When a person has found out, ``resolve_effect`` and replay it.

    Promised: an effect that is recorded never happens again in its job, however often that runs. Not promised: that
    nothing happens between an effect and its record (that is the doubt), nor that two jobs have one effect (an
    idempotency key makes them one job). When the database goes away behind the effect, its record is tried for five
    seconds; then the run goes on all the same, and the record travels with its settle: the recorder writes it, and the
    job's next run finds it, with the database or without. Only a run that is killed before it is settled leaves a doubt.

    Outside of a job (a function called in a unit test, say) the effect simply happens.

    Parameters:
      name: which effect of the job this is; 1 to 255 characters, another for each effect (``f"charge:{line}"`` in a loop).
      effect: takes nothing, returns None or what JSON holds, at most as large as a payload.
      on_doubt: what a run does when an earlier one left a doubt.
      not_done: errors of the effect that say for certain that it did not happen, such as a declined card; a retry
        then begins anew. ``Unavailable`` and ``PermanentFailure`` always say so. Any other error leaves a doubt.

    Raises:
      Unavailable: the database is away, and nothing has happened: the job is put off.
      PermanentFailure: there is a doubt and the policy is ``"fail"``; or one run has used a name twice; or the effect
        returned what cannot be kept (it is recorded as done, without).
      ConfigurationError: an argument is wrong.
    """
    guard = _guard(name, on_doubt, not_done)
    if guard is None:
        return effect()
    known = guard.begin()
    if not guard.goes_on(known):
        return cast("T | None", known.result)
    try:
        result = effect()
    except Exception as error:
        guard.failed(error)
        raise
    return cast("T", guard.happened(result))


async def once_per_job_async(
    name: str, effect: Callable[[], Awaitable[T]], *, on_doubt: OnDoubt, not_done: Errors = ()
) -> T | None:
    """``once_per_job`` for async actors; the database is asked in a thread, so that others run on.

    >>> charge = await once_per_job_async("charge-card", lambda: gateway.charge(order, cents), on_doubt="fail")
    """
    guard = _guard(name, on_doubt, not_done)
    if guard is None:
        return await effect()
    known = await asyncio.to_thread(guard.begin)
    if not guard.goes_on(known):
        return cast("T | None", known.result)
    try:
        result = await effect()
    except Exception as error:
        await asyncio.to_thread(guard.failed, error)
        raise
    return cast("T", await asyncio.to_thread(guard.happened, result))


def resolve_effect(job_id: str, name: str, *, happened: bool) -> bool:
    """Say what a person has found out about an effect in doubt, before its job is replayed.

    Parameters:
      happened: True: later runs get None without the effect; False: the next run has it.

    Returns:
      whether there was such an effect that was not recorded as done.

    Raises:
      Unavailable: the database is away.
    """
    return resolve(database(), job_id, name, happened=happened)


def _guard(name: str, on_doubt: OnDoubt, not_done: Errors) -> EffectGuard | None:
    """The guard of an effect of the job that runs here, None outside of any."""
    if not isinstance(name, str) or not 1 <= len(name) <= NAME_MAX or not name.isprintable():
        raise ConfigurationError(
            f"an effect is named {name!r:.100}; allowed are 1 to {NAME_MAX} characters that can be printed"
        )
    policies = {"repeat": InDoubt.REPEAT, "skip": InDoubt.SKIP, "fail": InDoubt.FAIL}
    if on_doubt not in policies:
        raise ConfigurationError(
            f"on_doubt of the effect {name!r} is {on_doubt!r:.100}; allowed are {', '.join(policies)}"
        )
    lease = current_lease()
    if lease is None:
        return None
    ledger = EffectLedger(
        database(),
        job_id=lease.job.job_id,
        name=name,
        tenant_id=lease.job.tenant_id,
        run=f"{lease.worker}/{lease.number}",
    )
    return EffectGuard(ledger, name, lease, policies[on_doubt], not_done)
