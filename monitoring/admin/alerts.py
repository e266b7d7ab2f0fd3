"""Alerts: what Alertmanager's webhook hands in, and what has been handed in."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from ..alert import Alert
from ..alert_log import AlertLog
from .call import Call
from .role import Role
from .route import Route, look

LOGGER = logging.getLogger(__name__)

#: The years within which a moment can be stored and read again.
YEARS = (1970, 9998)
#: Bytes of a notification; Alertmanager sends a group of alerts at once, each has about 1,000.
BODY_MOST = 1024 * 1024


def _sensible(moment: datetime) -> datetime:
    if not YEARS[0] <= moment.year <= YEARS[1]:
        raise ValueError(f"the year must be from {YEARS[0]} to {YEARS[1]}")
    return moment.astimezone(UTC)


class ToldAlert(BaseModel):
    """One alert of a notification."""

    model_config = ConfigDict(extra="ignore", serialize_by_alias=True)

    status: Literal["firing", "resolved"] = Field(description="How it stands.")
    labels: dict[str, str] = Field(description="What it is about.")
    annotations: dict[str, str] = Field(default={}, description="What people are told of it.")
    starts_at: Annotated[AwareDatetime, AfterValidator(_sensible)] = Field(alias="startsAt", description="Its begin.")
    ends_at: AwareDatetime | None = Field(
        default=None, alias="endsAt", description="Its end; the year 1 while there is none."
    )
    generator_url: str = Field(default="", alias="generatorURL", description="Where it can be seen.")
    fingerprint: str = Field(min_length=1, max_length=255, description="Alertmanager's own for the labels.")

    def told_to(self, receiver: str) -> Alert:
        """As it is stored."""
        ended = self.ends_at if self.status == "resolved" else None
        return Alert(
            fingerprint=self.fingerprint,
            status=self.status,
            labels=self.labels,
            annotations=self.annotations,
            starts_at=self.starts_at,
            ends_at=ended if ended and YEARS[0] <= ended.year <= YEARS[1] else None,
            receiver=receiver,
            generator_url=self.generator_url,
        )


class Notification(BaseModel):
    """What Alertmanager's webhook sends, version 4."""

    model_config = ConfigDict(extra="ignore")

    receiver: str = Field(default="", description="The name of Alertmanager's receiver.")
    alerts: list[ToldAlert] = Field(description="The alerts of a group.")


class AlertSearch(BaseModel):
    """Which alerts; all that is given must hold."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["firing", "resolved"] | None = Field(default=None, description="How they stand.")
    name: str | None = Field(default=None, max_length=255, description="The rule's name.")
    severity: str | None = Field(default=None, max_length=255, description="Such as critical.")
    queue: str | None = Field(default=None, max_length=255, description="A queue's name.")
    since: AwareDatetime | None = Field(default=None, description="First told of at this moment or later.")
    until: AwareDatetime | None = Field(default=None, description="First told of before this moment.")
    after: int | None = Field(default=None, ge=0, le=2**63 - 1, description="The field next of the page before.")
    limit: int = Field(default=50, ge=1, le=500, description="Alerts on a page.")


def _take(call: Call) -> dict[str, Any]:
    """Stored first; only then are people told, once Alertmanager has its answer: they may be slow, or away."""
    told: Notification = call.given
    log, receivers = AlertLog(call.fleet.database), call.fleet.receivers
    alerts = [alert.told_to(told.receiver) for alert in told.alerts]
    news = log.store(alerts)
    if news and receivers:
        call.later.append(lambda: _pass_on(call, news))
    return {"stored": len(alerts), "news": len(news)}


def _pass_on(call: Call, news: Sequence[Alert]) -> None:
    """Whoever could not be told is told with the next repeat, which finds that these were not passed on."""
    if not call.fleet.receivers.tell(news):
        return
    try:
        AlertLog(call.fleet.database).passed_on(news)
    except Exception as error:  # noqa: BLE001 (nobody waits for it; the receivers are told once more)
        LOGGER.warning("Alerts were passed on, which could not be written down: %s", error)


def _list(call: Call) -> dict[str, Any]:
    wanted: AlertSearch = call.given
    found = AlertLog(call.fleet.database).alerts(
        status=wanted.status,
        name=wanted.name,
        severity=wanted.severity,
        queue=wanted.queue,
        since=wanted.since,
        before=wanted.until,
        after=wanted.after,
        limit=wanted.limit,
    )
    full = len(found) == wanted.limit
    return {"alerts": found, "next": found[-1]["id"] if full else None}


ROUTES = (
    Route(
        method="POST",
        path="/alerts",
        role=Role.ALERTMANAGER,
        summary="Take what Alertmanager's webhook tells, store it, and pass it on to the receivers that are configured.",
        answer=_take,
        takes=Notification,
        body_most=BODY_MOST,
    ),
    look("/admin/alerts", _list, "What Alertmanager has told, newest first, a page at a time.", takes=AlertSearch),
)
