"""Webhooks.

How one is delivered:
1. ``trigger_webhooks_for_event`` sends one job for each active endpoint that wants the event. ``trigger_webhook``
   without a ``webhook_id`` is a job that does the same in a worker.
2. A job carries the endpoint's id, never its secret: the worker reads URL and secret from ``webhooks``.
3. An attempt (``webhook_attempt``) posts the payload as JSON, signed (``webhook_signature``), past no private
   address (``safe_http``), and is a row of ``webhook_deliveries``, however it ends.
4. Whatever is not 2xx is tried again as the queue says, redirects and 4xx too: a tenant mends its endpoint while we
   try. Only 410 Gone is final, and disables the endpoint; and an address that must not be reached is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import NAMESPACE_URL, uuid5

from dramatiq.message import generate_unique_id
from pydantic import Field

from ..broker import current_job
from ..broker.errors import PermanentFailure
from ..broker.job import Job
from ..middleware.database import database
from ..middleware.tenant_id import TenantId
from .actor import actor
from .fan_out import fan_out
from .webhook_attempt import attempt, is_gone, retire
from .webhook_subscriptions import WebhookSubscriptions

#: Names of events: they stand in a header.
EventName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$")]


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
    if is_gone():
        raise retire(webhook)
    return attempt(job, webhook, event, payload)


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
