"""What jobs do: one module per queue, and the decorator for an application's own job types.

Importing this room declares its actors on the application's broker; where the application has set none, on a
``FairBroker`` of our own. Nothing is connected to or read.
"""

from __future__ import annotations

import dramatiq.broker

from .actor import Actor, actor
from .fleet import make_broker

if dramatiq.broker.global_broker is None:
    dramatiq.broker.set_broker(make_broker())

# Only now: these modules declare their actors on the broker that is set.
from .email import send_bulk_emails, send_email
from .webhook import trigger_webhook, trigger_webhooks_for_event

__all__ = [
    "Actor",
    "actor",
    "make_broker",
    "send_bulk_emails",
    "send_email",
    "trigger_webhook",
    "trigger_webhooks_for_event",
]
