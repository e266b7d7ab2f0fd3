"""What the outside world saw of the demo's jobs, told by nobody of the fleet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .smtp_sink import MailAttempt
from .webhook_receiver import ReceivedWebhook


@dataclass(frozen=True, kw_only=True)
class Sight:
    """One attempt, as the mail server or an endpoint saw it."""

    #: What it answered; 200 stands for every good answer.
    code: int
    #: Seconds since the epoch.
    at: float


class DemoWitness:
    """The memories of mail server and endpoints, by the keys of the demo's jobs.

    Parameters:
      mails: every attempt to hand over an email.
      webhooks: every delivery.
    """

    def __init__(self, mails: Sequence[MailAttempt], webhooks: Sequence[ReceivedWebhook]) -> None:
        self._mails = mails
        self._webhooks = webhooks
        #: What was seen of each job, oldest first.
        self.sights: dict[str, list[Sight]] = {}
        for key, sight in self._all():
            self.sights.setdefault(key, []).append(sight)

    def emails(self) -> dict[str, list[str]]:
        """The ids, taken from the ``Message-ID``, of the emails that each recipient got."""
        got: dict[str, list[str]] = {}
        for mail in self._mails:
            if mail.code == 250:
                got.setdefault(mail.recipient, []).append(mail.message_id.strip("<>").partition("@")[0])
        return got

    def numbered(self) -> dict[str, list[int]]:
        """The numbers of the attempts with which each webhook came; 0 where a signature was wrong."""
        numbers: dict[str, list[int]] = {}
        for webhook in self._webhooks:
            numbers.setdefault(_key(webhook), []).append(webhook.attempt if webhook.signed else 0)
        return numbers

    def _all(self) -> Iterator[tuple[str, Sight]]:
        for mail in self._mails:
            yield mail.recipient, Sight(code=200 if mail.code == 250 else mail.code, at=mail.at)
        for webhook in self._webhooks:
            yield _key(webhook), Sight(code=200 if webhook.status < 300 else webhook.status, at=webhook.at)


def _key(webhook: ReceivedWebhook) -> str:
    return f"{webhook.path} {webhook.payload['order']}"
