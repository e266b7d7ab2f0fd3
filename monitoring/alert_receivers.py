"""Passes alerts on to people, by whatever Apprise can reach: chat, mail, SMS, pagers, webhooks."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pydantic import SecretStr

from ..broker.errors import ConfigurationError
from ..broker.settings import settings
from .alert import Alert

if TYPE_CHECKING:
    from apprise import Apprise, NotifyType

LOGGER = logging.getLogger(__name__)

#: Seconds that one telling may take for each receiver.
TELL_SECONDS = 30.0
#: Alerts that one message lists.
LISTED = 20
#: Labels that are not told: the title or the line has them already.
SAID = ("alertname", "severity")
#: Annotations that are told as they are, one on a line.
LINKS = ("runbook_url", "dashboard_url")


class AlertReceivers:
    """Those who are told; nobody if there are no addresses.

    Parameters:
      addresses: as Apprise writes them, such as ``slack://...`` or ``mailtos://...``.

    Raises:
      ConfigurationError: Apprise is not installed, or does not understand an address; which, by its place in the list,
        as the address itself has secrets.
    """

    def __init__(self, addresses: Sequence[SecretStr] = ()) -> None:
        self._receivers = [_receiver(place, address) for place, address in enumerate(addresses, 1)]

    @classmethod
    def configured(cls) -> AlertReceivers:
        """Those of JOBFLEET_ALERT_URLS. Raises as the constructor does."""
        return cls(settings().alert_urls)

    def __bool__(self) -> bool:
        return bool(self._receivers)

    def tell(self, alerts: Sequence[Alert]) -> bool:
        """Tell all receivers; returns whether each of them took it. Raises nothing: whom to tell of it?"""
        kind, title, body = _kind(alerts), title_of(alerts), "\n\n".join(_paragraphs(alerts))
        taken = [_told(place, receiver, kind, title, body) for place, receiver in enumerate(self._receivers, 1)]
        return all(taken)


def title_of(alerts: Sequence[Alert]) -> str:
    """What all of it is about, in one line."""
    firing = sum(alert.status == "firing" for alert in alerts)
    counts = ((firing, "firing"), (len(alerts) - firing, "resolved"))
    status = ", ".join(f"{count} {word}" for count, word in counts if count)
    return f"[{status}] {', '.join(sorted({alert.name for alert in alerts if alert.name}))}"


def _paragraphs(alerts: Sequence[Alert]) -> Iterator[str]:
    for alert in alerts[:LISTED]:
        yield "\n".join(_lines(alert))
    if len(alerts) > LISTED:
        yield f"and {len(alerts) - LISTED} more, see /admin/alerts"


def _lines(alert: Alert) -> Iterator[str]:
    word = "Resolved" if alert.status == "resolved" else alert.severity.capitalize() or "Firing"
    yield f"{word}: {alert.annotations.get('summary') or alert.name}"
    labels = [f"{name}={value}" for name, value in sorted(alert.labels.items()) if name not in SAID]
    for line in (alert.annotations.get("description"), " ".join(labels), *map(alert.annotations.get, LINKS)):
        if line:
            yield line


def _kind(alerts: Sequence[Alert]) -> NotifyType:
    from apprise import NotifyType

    firing = [alert for alert in alerts if alert.status == "firing"]
    if not firing:
        return NotifyType.SUCCESS
    return NotifyType.FAILURE if any(alert.severity == "critical" for alert in firing) else NotifyType.WARNING


def _receiver(place: int, address: SecretStr) -> Apprise:
    try:
        from apprise import Apprise, AppriseAsset
    except ImportError:
        raise ConfigurationError(
            'JOBFLEET_ALERT_URLS needs Apprise, which is not installed: pip install "jobfleet[apprise]"'
        ) from None
    # In detail Apprise logs whole addresses, and of one that it does not understand a part; we tell of both ourselves.
    logger = logging.getLogger("apprise")
    logger.setLevel(max(logger.level, logging.CRITICAL))
    receiver = Apprise(asset=AppriseAsset(app_id="jobfleet", storage_mode="memory"))
    if not receiver.add(address.get_secret_value()):
        raise ConfigurationError(
            f"JOBFLEET_ALERT_URLS: address {place} is none that Apprise understands, such as slack://... or mailtos://..."
        )
    return receiver


def _told(place: int, receiver: Apprise, kind: NotifyType, title: str, body: str) -> bool:
    from apprise import NotifyFormat

    service = receiver[0].service_name
    try:
        taken = bool(receiver.notify(body, title, kind, body_format=NotifyFormat.TEXT, timeout=TELL_SECONDS))
    except Exception as error:  # noqa: BLE001 (a receiver is a stranger's code, and no reason to tell the others nothing)
        # Its text may quote the address.
        LOGGER.warning("Receiver %d of alerts (%s) failed: %s", place, service, type(error).__name__)
        return False
    if not taken:
        LOGGER.warning("Receiver %d of alerts (%s) did not take one; the next repeat is tried again", place, service)
    return taken
