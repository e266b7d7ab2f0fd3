"""Emails.

How one goes out:
1. The caller's arguments are checked (``email_fields``); what is wrong is refused there.
2. In the worker: templates are filled in, files are read from the tenant's own folder, the email is built.
3. An intention is written to ``sent_emails``, the email goes to the mail server, and the row becomes ``sent``.
   A job that finds its row ``sent`` is skipped (``middleware/effects.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dramatiq import Message
from dramatiq.message import generate_unique_id

from ..broker import current_job
from ..broker.errors import InvalidPayload
from ..broker.settings import settings
from ..middleware import effect_records
from ..middleware.database import database
from ..middleware.effects import InDoubt, once
from ..middleware.tenant_id import TenantId
from .actor import actor
from .email_fields import Attachment, EmailAddress, HeaderText, TemplateName
from .email_message import compose, message_id, read_files
from .email_templates import Content, email_templates
from .fan_out import fan_out
from .send_options import delay_ms
from .sender import Sender
from .sent_emails import EmailRow, SentEmails
from .smtp import MailServer
from .smtp_url import SmtpUrl
from .storage import storage

#: What a run does when an earlier one may have sent the email: send it again, with the same Message-ID, because
#: a customer who gets a receipt twice is better off than one who gets none.
IN_DOUBT = InDoubt.REPEAT
#: Milliseconds between two emails of a bulk send.
STAGGER_MS = 100


def _says_something(email: Mapping[str, Any]) -> None:
    if not any(email.get(name) for name in ("body", "html", "template")):
        raise InvalidPayload("send_email: the email is empty; give a body, html or a template", field="body")


@actor(actor_name="jobfleet.send_email", queue_name="email", check=_says_something)
def send_email(
    *,
    tenant_id: TenantId,
    to: EmailAddress,
    subject: HeaderText,
    body: str | None = None,
    html: str | None = None,
    template: TemplateName | None = None,
    template_data: Mapping[str, Any] | None = None,
    attachments: Sequence[Attachment] = (),
    reply_to: EmailAddress | None = None,
) -> dict[str, Any]:
    """Send one email.

    Parameters:
      to: one address, alone or with a name.
      body: the text; of a template, the value ``body``.
      html: the same as HTML.
      template: its name; ``body`` and ``html`` are then values for it.
      template_data: its other values.
      attachments: files of the tenant's own folder in the storage.

    Returns:
      ``{"sent": True, "message_id": ...}``, with ``"recorded": False`` when the database was away afterwards
      (the recorder then writes that it was sent);
      ``{"skipped": True, "reason": "already_sent"}`` when an earlier run sent it.

    Raises:
      PermanentFailure: the email or the template is wrong, or the server will never take it.
      MailRefused: the server does not take it now.
      EffectInDoubt: nobody knows whether the server took it.
      Unavailable: the mail server, the database or the storage is away.
    """
    tenant = str(tenant_id)
    server = MailServer(SmtpUrl.parse(settings().smtp_url))
    content = _content(template, template_data or {}, {"subject": subject, "body": body, "html": html})
    job = current_job()
    email = compose(
        sender=server.sender,
        to=to,
        subject=subject,
        content=content,
        message_id=message_id(job.job_id if job else generate_unique_id(), server.sender),
        reply_to=reply_to,
        files=read_files(storage(), tenant, attachments) if attachments else (),
    )
    result = {"sent": True, "message_id": email["Message-ID"]}
    if job is None:
        # Called as a function, outside of any job: there is no id under which a second call would be known.
        server.send(email, to)
        return result
    row = EmailRow(job_id=job.job_id, tenant_id=tenant, recipient=to, subject=subject, message_id=email["Message-ID"])
    happened, recorded = once(SentEmails(database(), row), lambda: server.send(email, to), in_doubt=IN_DOUBT)
    if not happened:
        return {"skipped": True, "reason": "already_sent"}
    if recorded:
        return result
    effect_records.leave("sent_email", {})
    return {**result, "recorded": False}


def send_bulk_emails(tenant_id: int | str, recipients: Sequence[str], email: Mapping[str, Any]) -> dict[str, int]:
    """Send the same email to many, one job for each, 100 ms apart.

    Parameters:
      recipients: an address for each job.
      email: the arguments of ``send_email`` but ``to``, and ``priority`` and ``delay`` if not the usual ones.

    Returns:
      ``{"count": n}``, the number of jobs; with ``"refused": m`` when the broker took only some.

    Raises:
      InvalidPayload: an address or a field is wrong; no job at all is sent.
      AdmissionError: the broker took none.
    """
    if isinstance(recipients, str):
        raise InvalidPayload("send_bulk_emails: recipients must be a list of addresses", field="recipients")
    fields = dict(email)
    delay = delay_ms(fields.pop("delay", None)) or 0
    sender = send_email.with_options(priority=fields.pop("priority", None))
    messages = [
        _bulk_message(sender, index, {**fields, "tenant_id": tenant_id, "to": to})
        for index, to in enumerate(recipients)
    ]
    return fan_out(send_email.broker, messages, [delay + index * STAGGER_MS for index in range(len(messages))], "count")


def _bulk_message(sender: Sender[..., Any], index: int, arguments: Mapping[str, Any]) -> Message[Any]:
    try:
        return sender.message(**arguments)
    except InvalidPayload as error:
        if error.field != "to":
            raise
        raise InvalidPayload(f"recipients[{index}]: {error}", field="recipients") from None


def _content(template: str | None, values: Mapping[str, Any], fields: Mapping[str, str | None]) -> Content:
    if template is None:
        return Content(text=fields["body"], html=fields["html"])
    given = {name: value for name, value in fields.items() if value is not None}
    return email_templates(settings().email_templates).render(template, {**given, **values})
