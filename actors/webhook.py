"""Webhooks.

How one is delivered:
1. ``trigger_webhooks_for_event`` sends one job for each active endpoint that wants the event. ``trigger_webhook``
   without a ``webhook_id`` is a job that does the same in a worker.
2. A job carries the endpoint's id, never its secret: the worker reads URL and secret from ``webhooks``.
3. The payload is posted as JSON, signed (``webhook_signature``), past no private address (``safe_http``).
4. Every attempt is a row of ``webhook_deliveries``.
5. Whatever is not 2xx is tried again as the queue says, redirects and 4xx too: a tenant mends its endpoint while we
   try. Only 410 Gone is final, and disables the endpoint; and an address that must not be reached is.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import NAMESPACE_URL, uuid5

from dramatiq.errors import Retry
from dramatiq.message import generate_unique_id
from pydantic import Field

from .. import __version__
from ..broker import current_job
from ..broker.errors import PermanentFailure
from ..broker.job import Job
from ..broker.settings import settings
from ..middleware.database import database
from ..middleware.tenant_id import TenantId
from .actor import actor
from .fan_out import fan_out
from .public_address import ForbiddenAddress
from .retry_after import retry_after_ms
from .safe_http import HttpAnswer, HttpFailed, post
from .webhook_deliveries import Delivery, WebhookDeliveries
from .webhook_signature import body_signature, standard_signature
from .webhook_subscriptions import Webhook, WebhookSubscriptions

#: Names of events: they stand in a header.
EventName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$")]
#: Characters of an endpoint's answer that its error quotes.
QUOTED = 200
GONE = 410


class WebhookFailed(Exception):
    """An endpoint did not take a webhook; it may take it later."""


@actor(actor_name="jobfleet.trigger_webhook", queue_name="webhook")
def trigger_webhook(
    *,
    tenant_id: TenantId,
    event: EventName,
    payload: Mapping[str, Any],
    webhook_id: int | None = None,
) -> dict[str, Any]:
    """Deliver an event to one endpoint, or send a job for each endpoint that wants it.

    Parameters:
      event: its name, such as ``order.paid``.
      payload: what is posted, as JSON.
      webhook_id: the endpoint; all of the tenant's active ones that want the event if None.

    Returns:
      ``{"success": True, "status": 200, "response_time": ms}``; ``{"skipped": True, "reason": ...}`` when the
      endpoint is disabled or an earlier run delivered; ``{"webhooks": n}`` without a ``webhook_id``.

    Raises:
      WebhookFailed: the endpoint did not take it.
      dramatiq.Retry: it did not, and said when to come back.
      PermanentFailure: there is no such endpoint, it is gone, or its address must not be reached.
      Unavailable: the database is away.
    """
    tenant = str(tenant_id)
    job = current_job() or _job_of_a_call(tenant)
    subscriptions = WebhookSubscriptions(database())
    if webhook_id is None:
        return _send_each(subscriptions, tenant, event, payload, job.job_id)
    webhook = subscriptions.find(tenant, webhook_id, job.job_id)
    if webhook is None:
        raise PermanentFailure(f"tenant {tenant} has no webhook {webhook_id}")
    if webhook.delivered:
        return {"skipped": True, "reason": "already_delivered"}
    if not webhook.active:
        return {"skipped": True, "reason": "disabled"}
    return _deliver(job, webhook, event, payload)


def trigger_webhooks_for_event(tenant_id: int | str, event: str, payload: Mapping[str, Any]) -> dict[str, int]:
    """Send one job for each active endpoint of the tenant that wants an event.

    Returns:
      ``{"webhooks": n}``, the number of jobs; with ``"refused": m`` when the broker took only some.

    Raises:
      InvalidPayload: an argument is wrong; nothing is sent.
      AdmissionError: the broker took none.
      Unavailable: the database is away.
    """
    arguments = trigger_webhook.message(tenant_id=tenant_id, event=event, payload=payload).kwargs
    return _send_each(WebhookSubscriptions(database()), arguments["tenant_id"], event, payload, generate_unique_id())


def _send_each(
    subscriptions: WebhookSubscriptions, tenant: str, event: str, payload: Mapping[str, Any], origin: str
) -> dict[str, int]:
    messages = []
    for webhook_id in subscriptions.subscribed(tenant, event):
        message = trigger_webhook.message(tenant_id=tenant, event=event, payload=payload, webhook_id=webhook_id)
        # An id made from the origin's: when a worker is lost in the middle, its next run sends the same jobs again
        # and the broker knows them.
        messages.append(message.copy(message_id=str(uuid5(NAMESPACE_URL, f"{origin}/{webhook_id}"))))
    return fan_out(trigger_webhook.broker, messages, [0] * len(messages), "webhooks")


def _deliver(job: Job, webhook: Webhook, event: str, payload: Mapping[str, Any]) -> dict[str, Any]:
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
    recorded = WebhookDeliveries(database()).record(
        Delivery(
            webhook_id=webhook.id,
            job_id=job.job_id,
            tenant_id=job.tenant_id,
            event=event,
            url=webhook.url,
            attempt=job.attempt,
            status="failed" if error else "success",
            http_status=answer.status if answer else None,
            response_time_ms=elapsed,
            error=str(error) if error else None,
        )
    )
    if error or answer is None:
        raise _verdict(job, webhook, answer, error) from error
    result = {"success": True, "status": answer.status, "response_time": elapsed}
    return result if recorded else {**result, "recorded": False}


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
    said = "".join(c if c.isprintable() else " " for c in answer.body.decode(errors="replace"))[:QUOTED].strip()
    return WebhookFailed(f"{sentence}: {said}" if said else sentence)


def _verdict(job: Job, webhook: Webhook, answer: HttpAnswer | None, error: Exception | None) -> Exception:
    """What becomes of a job whose delivery failed."""
    if isinstance(error, PermanentFailure):
        return error
    if answer and answer.status == GONE:
        WebhookSubscriptions(database()).disable(webhook.id, f"the endpoint answered {GONE} Gone")
        return PermanentFailure(f"the endpoint answered {GONE} Gone; the webhook is disabled")
    # A replay begins a new round of as many attempts.
    if job.attempt % settings().queue(job.queue).attempts == 0:
        return WebhookFailed(f"Webhook failed after {job.attempt} attempts: {error}")
    pause = retry_after_ms(answer.headers.get("retry-after")) if answer else None
    if pause:
        return Retry(str(error), delay=pause)
    return WebhookFailed(str(error))


def _job_of_a_call(tenant: str) -> Job:
    """What stands for the job when the function is called outside of any."""
    return Job(
        job_id=generate_unique_id(),
        queue=trigger_webhook.queue_name,
        tenant_id=tenant,
        actor=trigger_webhook.actor_name,
        attempt=1,
        losses=0,
    )
