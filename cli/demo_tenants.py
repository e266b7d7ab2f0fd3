"""What the demo shows of tenants: each scene is played on the running fleet and judged by what was seen of it.

1. A tenant floods a queue, another one sends a single email behind the flood.
2. A small plan refuses a send beyond its rate, and holds a bulk mail until the tenant has a larger plan.
3. A job is sent twice under one key.
4. A tenant is paused and resumed.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ..actors import send_bulk_emails, send_email
from ..broker.errors import TenantLimitExceeded
from ..middleware.tenants import pause_tenant, resume_tenant, set_plan
from .demo_check import DemoCheck
from .demo_fleet import THREADS, WORKERS, DemoFleet
from .demo_job import DemoJob
from .demo_load import PLAN, DemoLoad

#: Jobs of the flood.
FLOOD = 200
#: Recipients of the bulk mail that is held.
BULK = 5
#: Jobs that the plan ``free`` lets in within a minute.
FREE_RATE = 10
#: Seconds that a scene may take on a busy machine, and between two looks.
SCENE_SECONDS = 60.0
LOOK_SECONDS = 0.05


class DemoTenants:
    """The scenes.

    Parameters:
      fleet: it runs, and nothing waits.
      load: is told of every job that is sent.
    """

    def __init__(self, fleet: DemoFleet, load: DemoLoad) -> None:
        self._fleet = fleet
        self._load = load

    def play(self) -> list[DemoCheck]:
        """Play every scene; returns what was seen."""
        return [self._flood(), self._refusal(), self._held(), self._key(), self._pause()]

    def _flood(self) -> DemoCheck:
        set_plan("hooli", PLAN)
        self._fleet.broker.pause("email")
        flood = [self._send("hooli", f"flood-{number}@hooli.example") for number in range(FLOOD)]
        self._send("acme", "alone@acme.example")
        self._fleet.broker.resume("email")
        self._until(lambda: {*flood, "alone@acme.example"} <= self._arrived())
        place = self._order().index("alone@acme.example") - self._order().index(flood[0])
        return DemoCheck(
            name=f"An email behind {FLOOD} of another tenant waited for no more than what ran",
            found=f"{max(place, 0)} of the flood arrived before it",
            ok=place <= 2 * WORKERS * THREADS,
        )

    def _refusal(self) -> DemoCheck:
        for number in range(FREE_RATE):
            self._send("stark", f"customer-{number}@stark.example")
        try:
            send_email.send(tenant_id="stark", to="refused@stark.example", subject="One more", body="Too much")
        except TenantLimitExceeded as refusal:
            found, ok = f"{refusal}, retry_after {refusal.retry_after:.1f} s", 0 < refusal.retry_after <= 60
        else:
            found, ok = "it was accepted", False
        return DemoCheck(name=f"Of a tenant on the plan free, send {FREE_RATE + 1} was refused", found=found, ok=ok)

    def _held(self) -> DemoCheck:
        held = self._send_in_bulk("stark")
        # The same by a larger plan, sent later: when that is through, what is not held would be too.
        free = self._send_in_bulk("acme")
        self._until(lambda: free <= self._arrived())
        early = len(self._arrived() & held)
        set_plan("stark", "pro")
        self._until(lambda: held <= self._arrived())
        return DemoCheck(
            name="Its bulk mail was held while one sent later arrived, and let in by the plan pro",
            found=f"{early} of {BULK} arrived before the upgrade, {len(self._arrived() & held)} in the end",
            ok=early == 0,
        )

    def _key(self) -> DemoCheck:
        to = "once@acme.example"
        self._expect("acme", to)
        keyed = send_email.with_options(idempotency_key="order:17")
        first, second = (keyed.send(tenant_id="acme", to=to, subject="Your order", body="Thank you.") for _ in range(2))
        self._until(lambda: to in self._arrived())
        return DemoCheck(
            name="A job that was sent twice under one key is one job",
            found=f"{first.message_id}, then {second.message_id}",
            ok=first.message_id == second.message_id and bool(second.options.get("duplicate")),
        )

    def _pause(self) -> DemoCheck:
        pause_tenant("globex")
        self._send("globex", "paused@globex.example")
        self._send("acme", "meanwhile@acme.example")
        self._until(lambda: "meanwhile@acme.example" in self._arrived())
        waited = "paused@globex.example" not in self._arrived()
        resume_tenant("globex")
        self._until(lambda: "paused@globex.example" in self._arrived())
        found = "it waited, and arrived when it was resumed" if waited else "it did not wait"
        return DemoCheck(name="A paused tenant's email waited while another's was sent", found=found, ok=waited)

    def _send(self, tenant: str, to: str) -> str:
        self._expect(tenant, to)
        send_email.send(tenant_id=tenant, to=to, subject="Your order", body="Thank you.")
        return to

    def _send_in_bulk(self, tenant: str) -> set[str]:
        readers = [f"subscriber-{number}@{tenant}.example" for number in range(BULK)]
        for reader in readers:
            self._expect(tenant, reader)
        send_bulk_emails(tenant, readers, {"subject": "News", "body": "Nothing new."})
        return {*readers}

    def _expect(self, tenant: str, to: str) -> None:
        self._load.jobs[to] = DemoJob(key=to, queue="email", tenant_id=tenant)

    def _order(self) -> list[str]:
        return [mail.recipient for mail in self._fleet.mail.attempts if mail.code == 250]

    def _arrived(self) -> set[str]:
        return {*self._order()}

    def _until(self, seen: Callable[[], bool]) -> None:
        """Wait until the mail server has seen it; what never comes is told by the checks."""
        deadline = time.monotonic() + SCENE_SECONDS
        while not seen() and time.monotonic() < deadline:
            self._fleet.check()
            time.sleep(LOOK_SECONDS)
