"""What the application sends all the time: a few jobs a second for several tenants, more of the small than of the large."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType

from jobfleet.actors import send_email, trigger_webhooks_for_event
from jobfleet.broker.errors import AdmissionError
from jobfleet.middleware.database import database
from jobfleet.middleware.queries import Queries
from jobfleet.middleware.tenants import set_plan
from jobfleet.pictures import jobs
from jobfleet.pictures.outside import REFUSED, SECRET, TENANTS

QUERIES = Queries(__file__)

#: Sends per second of each kind, on average.
RATES: Mapping[str, float] = MappingProxyType(
    {
        "email": 2.4,
        "notification": 3.0,
        "webhook": 1.6,
        "report": 0.8,
        "image": 1.6,
        "export": 0.25,
        "text": 0.75,
        "visits": 0.5,
        "carts": 0.3,
    }
)
#: How much of the traffic is whose.
SHARES = MappingProxyType(
    {"acme": 30, "globex": 22, "hooli": 12, "umbrella": 12, "initech": 8, "wayne": 8, "stark": 4, "wonka": 4}
)
#: Seconds from one busy moment to the next.
WAVE_SECONDS = 150.0
#: Share of emails that are sent twice under one key, and of those that are sent for later.
TWICE, LATER = 0.05, 0.1
LATER_MS = 20_000


class Traffic:
    """The application.

    Parameters:
      url: the address of a webhook's path.
    """

    def __init__(self, url: Callable[[str], str]) -> None:
        self._url = url
        self._number = 0
        #: How many sends of each kind came through, and how many were refused.
        self.sent: Counter[str] = Counter()
        self.refused = 0
        self._send: Mapping[str, Callable[[str], object]] = {
            "email": self._email,
            "notification": lambda tenant: jobs.notify.send(tenant_id=tenant, user=f"user-{self._number % 50}"),
            "webhook": lambda tenant: trigger_webhooks_for_event(tenant, "order.paid", {"order": self._number}),
            "report": lambda tenant: jobs.build_report.send(tenant_id=tenant, month="2026-10"),
            "image": self._image,
            "export": lambda tenant: jobs.export_orders.send(tenant_id=tenant, rows=random.randint(2_000, 40_000)),
            "text": self._text,
            "visits": lambda tenant: jobs.count_visits.send(tenant_id=tenant, day="2026-11-23"),
            "carts": lambda tenant: jobs.drop_old_carts.send(tenant_id=tenant, before="2026-11-01"),
        }

    def settle(self) -> None:
        """Give the tenants their plans and endpoints."""
        for tenant, (plan, path) in TENANTS.items():
            set_plan(tenant, plan)
            values = {"tenant_id": tenant, "url": self._url(path), "secret": SECRET}
            with database().connection() as connection:
                connection.execute(QUERIES["subscribe"], values)

    def tick(self, now: float, seconds: float) -> None:
        """Send what a short time brings.

        Parameters:
          now: seconds since the beginning.
          seconds: the length of that time.
        """
        busy = 1 + 0.5 * math.sin(2 * math.pi * now / WAVE_SECONDS)
        for kind, rate in RATES.items():
            if random.random() < rate * seconds * busy:
                self.send(kind, random.choices(list(SHARES), list(SHARES.values()))[0])

    def send(self, kind: str, tenant: str) -> None:
        """Send one job; a refusal is counted."""
        self._number += 1
        try:
            self._send[kind](tenant)
        except AdmissionError:
            self.refused += 1
        else:
            self.sent[kind] += 1

    def _email(self, tenant: str) -> None:
        to = REFUSED if tenant == "umbrella" and self._number % 4 == 0 else f"user-{self._number}@{tenant}.example"
        twice = random.random() < TWICE
        sender = send_email.with_options(
            idempotency_key=f"order:{self._number}" if twice else None,
            delay=LATER_MS if random.random() < LATER else None,
        )
        for _ in range(1 + twice):
            sender.send(tenant_id=tenant, to=to, subject="Your order", body="Thank you.")

    def _image(self, tenant: str) -> None:
        ending = "heic" if random.random() < 0.06 else "jpeg"
        jobs.resize_image.send(tenant_id=tenant, image=f"{self._number}.{ending}")

    def _text(self, tenant: str) -> None:
        language = random.choices(["en", "de", "fr", "tlh"], [10, 5, 4, 1])[0]
        jobs.describe_product.send(tenant_id=tenant, product=f"product-{self._number}", language=language)
