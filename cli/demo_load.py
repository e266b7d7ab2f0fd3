"""What the demo's application sends: the part that an application of your own would have.

1. Tenants get a plan that lets them send all of this at once, and subscribe endpoints to their events.
2. Emails are sent one by one, some urgent, some later, and in bulk.
3. Events happen, and each becomes a webhook for every endpoint of its tenant.
4. Of each job it is written down what must become of it, before it runs.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ..actors import send_bulk_emails, send_email, trigger_webhooks_for_event
from ..actors.email import STAGGER_MS
from ..middleware.database import Database
from ..middleware.queries import Queries
from ..middleware.tenants import set_plan
from .demo_job import DemoJob
from .webhook_receiver import Behaviour, WebhookReceiver

QUERIES = Queries(__file__)

#: What the demo's tenants pay for.
PLAN = "enterprise"
#: With what the demo's webhooks are signed.
SECRET = "the demo's secret"
#: Who may not get emails, and who gets them at the second attempt.
REFUSED = "nobody@umbrella.example"
DEFERRED = "greylist@umbrella.example"

#: How the endpoints behave.
ENDPOINTS: Mapping[str, Behaviour] = MappingProxyType(
    {
        "/healthy": lambda earlier: 200,
        "/shaky": lambda earlier: 503 if earlier < 2 else 200,
        "/broken": lambda earlier: 500,
        "/gone": lambda earlier: 410,
    }
)
#: What a webhook of each endpoint needs or comes to: attempts, reason of its death, whether it is mended later.
FATES: Mapping[str, tuple[int, str, bool]] = MappingProxyType(
    {
        "/healthy": (1, "", False),
        "/shaky": (3, "", False),
        "/broken": (5, "exhausted", True),
        "/gone": (1, "permanent", False),
    }
)
#: Each tenant's endpoints, and how many events it has.
SUBSCRIPTIONS: Mapping[str, tuple[tuple[str, ...], int]] = MappingProxyType(
    {
        "acme": (("/healthy",), 30),
        "globex": (("/healthy", "/shaky"), 10),
        "initech": (("/broken",), 5),
        "umbrella": (("/gone",), 1),
    }
)
#: Emails of each tenant: urgent ones, usual ones, later ones.
URGENT, USUAL, LATER = 4, 8, 2
LATER_MS = 3_000
#: Recipients of each of the two bulk emails.
BULK = 40


class DemoLoad:
    """The demo's jobs.

    Parameters:
      receiver: where the endpoints are.
      database: where the tenants' subscriptions are.
    """

    def __init__(self, receiver: WebhookReceiver, database: Database) -> None:
        self._receiver = receiver
        self._database = database
        self._paths: dict[int, str] = {}
        #: Everything that was sent, by its key.
        self.jobs: dict[str, DemoJob] = {}

    @property
    def totals(self) -> dict[str, int]:
        """The number of jobs of each queue."""
        return dict(Counter(job.queue for job in self.jobs.values()))

    def send(self) -> None:
        """Send everything.

        Raises:
          AdmissionError: the fleet refused a job.
          Unavailable: the database is away.
        """
        for tenant in SUBSCRIPTIONS:
            set_plan(tenant, PLAN)
        self._subscribe()
        for tenant in SUBSCRIPTIONS:
            self._send_emails(tenant)
        for recipient, attempts, reason in ((REFUSED, 1, "permanent"), (DEFERRED, 2, "")):
            self._send_email("umbrella", recipient, attempts=attempts, reason=reason)
        for tenant in ("acme", "globex"):
            self._send_in_bulk(tenant)
        for tenant, (_, events) in SUBSCRIPTIONS.items():
            for number in range(1, events + 1):
                self.announce(tenant, f"{tenant}-{number}")

    def announce(self, tenant: str, order: str) -> int:
        """Let an order of a tenant be paid; returns how many of its endpoints hear of it."""
        told = trigger_webhooks_for_event(tenant, "order.paid", {"order": order, "total": 1_200})["webhooks"]
        for path in SUBSCRIPTIONS[tenant][0] if told else ():
            attempts, reason, mended = FATES[path]
            self._expect(
                DemoJob(
                    key=f"{path} {order}",
                    queue="webhook",
                    tenant_id=tenant,
                    attempts=attempts,
                    reason=reason,
                    mended=mended,
                )
            )
        return told

    def key_of(self, queue: str, payload: Mapping[str, Any]) -> str:
        """Which of the jobs it is that carries these arguments."""
        if queue == "email":
            return str(payload["to"])
        return f"{self._paths[payload['webhook_id']]} {payload['payload']['order']}"

    def _subscribe(self) -> None:
        with self._database.connection() as connection:
            for tenant, (paths, _) in SUBSCRIPTIONS.items():
                for path in paths:
                    values = {"tenant_id": tenant, "url": self._receiver.url(path), "secret": SECRET}
                    row = connection.execute(QUERIES["subscribe"], values).fetchone()
                    self._paths[row["id"] if row else 0] = path

    def _send_emails(self, tenant: str) -> None:
        kinds = (("urgent", URGENT, 1, 0), ("usual", USUAL, 5, 0), ("later", LATER, 9, LATER_MS))
        for kind, count, priority, delay in kinds:
            for number in range(1, count + 1):
                self._send_email(tenant, f"{kind}-{number}@{tenant}.example", priority=priority, delay=delay)

    def _send_email(
        self, tenant: str, to: str, *, priority: int = 5, delay: int = 0, attempts: int = 1, reason: str = ""
    ) -> None:
        not_before = time.time() + delay / 1000 if delay else 0.0
        send_email.with_options(priority=priority, delay=delay or None).send(
            tenant_id=tenant, to=to, subject="Your order", body=f"Thank you for ordering from {tenant}."
        )
        self._expect(
            DemoJob(key=to, queue="email", tenant_id=tenant, attempts=attempts, reason=reason, not_before=not_before)
        )

    def _send_in_bulk(self, tenant: str) -> None:
        recipients = [f"reader-{number}@{tenant}.example" for number in range(1, BULK + 1)]
        began = time.time()
        send_bulk_emails(tenant, recipients, {"subject": "News", "body": "Nothing new.", "priority": 7})
        for place, recipient in enumerate(recipients):
            not_before = began + place * STAGGER_MS / 1000
            self._expect(DemoJob(key=recipient, queue="email", tenant_id=tenant, not_before=not_before))

    def _expect(self, job: DemoJob) -> None:
        self.jobs[job.key] = job
