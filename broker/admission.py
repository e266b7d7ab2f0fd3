"""The door: what a message must be before it is sent, and what Redis said to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from dramatiq.common import current_millis, q_name
from dramatiq.message import Message

from .encoding import encode
from .errors import InvalidPayload
from .job import SYSTEM
from .lease import Admitted, Lease
from .names import NAME_MAX, check_name, check_queue_name
from .policy import policy_of
from .refusal import Outcome, outcome_of
from .scripts import Scripts
from .shown import shown

#: Highest and lowest priority, and the one of jobs that name none.
PRIORITIES = range(1, 10)
DEFAULT_PRIORITY = 5
#: Jobs that one script call accepts.
CHUNK = 500

#: Whole numbers that are too long for a tenant's id, with a sign.
TENANT_NUMBERS = 10**63

_TENANT = re.compile(r"[A-Za-z0-9._-]{1,64}")


def tenant_of(message: Message[Any]) -> str:
    """Whose job a message is: its ``tenant_id`` option or argument, the system's without one.

    Raises:
      InvalidPayload: the id is not an int or 1 to 64 of ``A-Z a-z 0-9 . _ -``.
    """
    tenant = message.options.get("tenant_id", message.kwargs.get("tenant_id", SYSTEM))
    if isinstance(tenant, int) and not isinstance(tenant, bool) and -TENANT_NUMBERS < tenant < TENANT_NUMBERS:
        tenant = str(int(tenant))
    if isinstance(tenant, str) and (tenant == SYSTEM or _TENANT.fullmatch(tenant)):
        # An enum's member may be text, and be shown as something else.
        return str.__str__(tenant)
    raise InvalidPayload(
        f"tenant_id is {shown(tenant)}; it must be an int or 1 to 64 of A-Z a-z 0-9 . _ -", field="tenant_id"
    )


def admit(message: Message[Any], delay: float | None, payload_max: int) -> Admitted:
    """Check a message and encode it.

    Parameters:
      message: what is to be sent.
      delay: ms after which it may run.
      payload_max: largest encoded message in bytes.

    Raises:
      InvalidPayload: the tenant, priority, delay, a name, the arguments or the size are not allowed.
    """
    message, delay = _canonical(message, delay)
    tenant = tenant_of(message)
    check_queue_name("queue_name", message.queue_name)
    check_name("actor_name", message.actor_name)
    check_name("message_id", message.message_id)
    priority = message.options.get("priority", DEFAULT_PRIORITY)
    if isinstance(priority, bool) or not isinstance(priority, int) or priority not in PRIORITIES:
        raise InvalidPayload(f"priority is {shown(priority)}; it must be 1 (first) to 9 (last)", field="priority")
    if delay is not None and (isinstance(delay, bool) or not isinstance(delay, int | float) or not 0 <= delay < 1e14):
        raise InvalidPayload(f"delay is {shown(delay)}; it must be milliseconds, 0 or more", field="delay")
    key = message.options.get("idempotency_key")
    if key is not None:
        check_name("idempotency_key", key)
    try:
        encoded = encode(message)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidPayload(f"the arguments of {message.actor_name} cannot be encoded: {error}") from None
    if len(encoded) > payload_max:
        raise InvalidPayload(f"the message has {len(encoded)} bytes; at most {payload_max} are allowed")
    policy = policy_of(message, tenant, key or "")
    delay = int(delay or 0)
    return (message.message_id, message.queue_name, tenant, message.actor_name, int(priority), delay, policy, encoded)


def _canonical(message: Message[Any], delay: float | None) -> tuple[Message[Any], float | None]:
    """The message as workers may see it.

    With an ``eta`` Dramatiq's worker would hold it in memory and send it again under its own id, and
    it has no consumer for the name of a delay queue; here both are a delay.
    """
    queue = q_name(message.queue_name) if isinstance(message.queue_name, str) else message.queue_name
    if "eta" not in message.options:
        return (message, delay) if queue == message.queue_name else (message.copy(queue_name=queue), delay)
    eta = message.options["eta"]
    if delay is None and isinstance(eta, int | float):
        delay = max(0.0, eta - current_millis())
    options = {name: value for name, value in message.options.items() if name != "eta"}
    return replace(message, queue_name=queue, options=options), delay


def admit_invalid(lease: Lease, message: Message[Any], error: str) -> tuple[Admitted, str]:
    """A message that must not run as it is: it becomes a dead letter, where someone will find it.

    One that cannot even be encoded carries a result that is no JSON: then the run itself has failed.
    """
    try:
        encoded: bytes = message.encode()
    except (TypeError, ValueError):
        lease.reason, lease.error = "bad_result", error
        encoded = message.copy(args=(), kwargs={}).encode()
    job_id, actor = _storable(message.message_id), _storable(message.actor_name)
    queue = q_name(_storable(message.queue_name))
    return (job_id, queue, lease.job.tenant_id, actor, DEFAULT_PRIORITY, 0, b"", encoded), error


def _storable(name: object) -> str:
    """A name that could not be admitted, near enough for someone to recognise it."""
    return str(name).encode("unicode_escape").decode()[:NAME_MAX] or "(none)"


def admit_from_hook(lease: Lease, message: Message[Any], delay: float | None, payload_max: int) -> tuple[Admitted, str]:
    """Like ``admit``, for what a hook sends: there nobody hears a refusal, so it becomes a dead letter."""
    try:
        return admit(message, delay, payload_max), ""
    except InvalidPayload as error:
        return admit_invalid(lease, message, str(error))


def start_send(scripts: Scripts, admitted: Sequence[Admitted], journal_max: int) -> Callable[[], list[Outcome]]:
    """Hand messages to Redis, CHUNK at the most.

    Returns:
      What gives an outcome for each, None for accepted. An id that is known already counts as
      accepted: the same send came twice.

    Raises:
      redis.RedisError: the server is away; when the answer is asked for.
    """
    if not admitted:
        return list
    script = "enqueue_limited" if any(policy for *_, policy, _ in admitted) else "enqueue"
    finish = scripts.start(script, journal_max, *(part for job in admitted for part in job))
    return lambda: [
        None if answer in (1, 2) else outcome_of(job, answer, journal_max)
        for job, answer in zip(admitted, finish(), strict=True)
    ]
