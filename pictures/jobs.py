"""The job types of the application in the pictures: they wait instead of working, and some of them fail."""

from __future__ import annotations

import random
import time

from jobfleet.actors import actor
from jobfleet.broker.errors import PermanentFailure

#: Share of reports that fail at first.
FLAKY = 0.15


@actor(queue_name="notification", actor_name="shop.notify")
def notify(*, tenant_id: str, user: str) -> None:
    """Tell a user something."""
    _work(0.08)


@actor(queue_name="report", actor_name="shop.build_report")
def build_report(*, tenant_id: str, month: str) -> None:
    """Sum up a month; the database it reads is sometimes overloaded."""
    _work(1.2)
    if random.random() < FLAKY:
        raise TimeoutError("canceling statement due to statement timeout")


@actor(queue_name="export", actor_name="shop.export_orders")
def export_orders(*, tenant_id: str, rows: int) -> None:
    """Write a file with a tenant's orders."""
    _work(rows / 4_000)


@actor(queue_name="image-processing", actor_name="shop.resize_image")
def resize_image(*, tenant_id: str, image: str) -> None:
    """Make a smaller picture; some files are none."""
    _work(0.4)
    if image.endswith(".heic"):
        raise ValueError("cannot identify image file")


@actor(queue_name="ai", actor_name="shop.describe_product")
def describe_product(*, tenant_id: str, product: str, language: str) -> None:
    """Have a text written; the model speaks four languages."""
    _work(2.0)
    if language == "tlh":
        raise PermanentFailure("language tlh is not supported")


@actor(queue_name="analytics", actor_name="shop.count_visits")
def count_visits(*, tenant_id: str, day: str) -> None:
    """Count a day's visits."""
    _work(0.7)


@actor(queue_name="cleanup", actor_name="shop.drop_old_carts")
def drop_old_carts(*, tenant_id: str, before: str) -> None:
    """Forget carts that nobody came back to."""
    _work(0.3)


def _work(seconds: float) -> None:
    """Take about so long; now and then much longer, as real work does."""
    time.sleep(min(random.lognormvariate(0, 0.5) * seconds, 20 * seconds))
