"""One attempt to deliver a webhook, and what follows from it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from dramatiq.errors import Retry

from .. import __version__
from ..broker.errors import PermanentFailure
from ..broker.job import Job
from ..broker.lease import current_lease
from ..broker.settings import settings
from ..middleware import effect_records
from ..middleware.database import database
from .public_address import ForbiddenAddress
from .retry_after import retry_after_ms
from .safe_http import HttpAnswer, HttpFailed, post
from .webhook_deliveries import Delivery, WebhookDeliveries
from .webhook_signature import body_signature, standard_signature
from .webhook_subscriptions import Webhook, WebhookSubscriptions

#: Characters of an endpoint's answer that its error quotes.
QUOTED = 200
#: The answer of an endpoint that will never be there again.
GONE = 410
#: The option of a message that remembers this answer until the endpoint is disabled.
GONE_OPTION = "webhook_gone"


class WebhookFailed(Exception):
    """An endpoint did not take a webhook; it may take it later."""


def attempt(job: Job, webhook: Webhook, event: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Post an event to an endpoint, once, and write down how that ended.

    Returns:
      the result of the job; with ``"recorded": False`` when the database was away afterwards and the recorder
      is to write it down.

    Raises:
      WebhookFailed: the endpoint did not take it.
      dramatiq.Retry: it did not, and said when to come back.
      PermanentFailure: it is gone, or its address must not be reached.
    """
    body = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
    answer: HttpAnswer | None = None
    error: Exception | None = None
    started = time.monotonic()
    try:
        answer = post(
            webhook.url,
            body,
            _headers(job, webhook, event, body),
            allowed=settings().webhook_allow_networks,
        )
        error = _complaint(answer)
    except (HttpFailed, ForbiddenAddress) as failure:
        error = failure
    elapsed = round((time.monotonic() - started) * 1000)
    delivery = Delivery(
        webhook_id=webhook.id,
        job_id=job.job_id,
        tenant_id=job.tenant_id,
        event=event,
        url=webhook.url,
        attempt=job.attempt,
        status="failed" if error else "success",
        # A server may invent a status; the table holds only those that HTTP knows.
        http_status=answer.status if answer and answer.status < 600 else None,
        response_time_ms=elapsed,
        error=_printable(str(error)) if error else None,
    )
    recorded = WebhookDeliveries(database()).record(delivery)
    if not recorded:
        effect_records.leave("webhook_delivery", asdict(delivery))
    if error or answer is None:
        raise _verdict(job, webhook, answer, error) from error
    result = {"success": True, "status": answer.status, "response_time": elapsed}
    return result if recorded else {**result, "recorded": False}


def retire(webhook: Webhook) -> PermanentFailure:
    """Disable an endpoint that is gone; returns why its job fails.

    While the database is away the job's message keeps what the endpoint said, so that no later run asks it again.

    Raises:
      Unavailable: the database is away.
    """
    lease = current_lease()
    options = lease.options if lease else {}
    options[GONE_OPTION] = True
    WebhookSubscriptions(database()).disable(webhook.id, f"the endpoint answered {GONE} Gone")
    del options[GONE_OPTION]
    return PermanentFailure(f"the endpoint answered {GONE} Gone; the webhook is disabled")


def is_gone() -> bool:
    """Whether an earlier run of this job has heard that the endpoint is gone, and could not disable it."""
    lease = current_lease()
    return lease is not None and GONE_OPTION in lease.options


def _headers(job: Job, webhook: Webhook, event: str, body: bytes) -> dict[str, str]:
    timestamp = int(time.time())
    return {
        "Content-Type": "application/json",
        "User-Agent": f"jobfleet/{__version__}",
        "X-Webhook-Signature": body_signature(webhook.secret, body),
        "X-Event-Type": event,
        "X-Attempt": str(job.attempt),
        "webhook-id": job.job_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": standard_signature(webhook.secrets, job.job_id, timestamp, body),
    }


def _complaint(answer: HttpAnswer) -> WebhookFailed | None:
    """Why an answer is no success; None if it is one."""
    if 200 <= answer.status < 300:
        return None
    sentence = f"the endpoint answered {answer.status}"
    if 300 <= answer.status < 400:
        return WebhookFailed(f"{sentence}; redirects are not followed")
    said = _printable(answer.body.decode(errors="replace"))[:QUOTED].strip()
    return WebhookFailed(f"{sentence}: {said}" if said else sentence)


def _printable(text: str) -> str:
    """Text of a stranger as a log can hold it: on one line, without NUL."""
    return "".join(character if character.isprintable() else " " for character in text)


def _verdict(job: Job, webhook: Webhook, answer: HttpAnswer | None, error: Exception | None) -> Exception:
    """What becomes of a job whose delivery failed."""
    if isinstance(error, PermanentFailure):
        return error
    if answer and answer.status == GONE:
        return retire(webhook)
    # A replay begins a new round of as many attempts.
    if job.attempt % settings().queue(job.queue).attempts == 0:
        return WebhookFailed(f"Webhook failed after {job.attempt} attempts: {error}")
    pause = retry_after_ms(answer.headers.get("retry-after")) if answer else None
    if pause:
        return Retry(str(error), delay=pause)
    return WebhookFailed(str(error))
