"""Builds the email of a job, header by header."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate

from ..broker.errors import PermanentFailure
from .email_fields import Attachment, bare_address
from .email_templates import Content
from .storage import Storage

#: Bytes of all files of one email; most servers refuse a message of 25 MB, and base64 makes 4 of 3.
ATTACHMENTS_MAX = 18 * 1024 * 1024
#: Without 8-bit parts, so that any server can carry it.
POLICY = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, kw_only=True)
class File:
    """An attached file, read."""

    filename: str
    content_type: str
    content: bytes


def message_id(job_id: str, sender: str) -> str:
    """The ``Message-ID`` of a job: the same for each of its attempts, so that mail systems see one email."""
    unique = job_id if re.fullmatch(r"[A-Za-z0-9-]{1,64}", job_id) else hashlib.sha256(job_id.encode()).hexdigest()
    return f"<{unique}@{bare_address(sender).rpartition('@')[2]}>"


def read_files(storage: Storage, tenant_id: str, attachments: Sequence[Attachment]) -> list[File]:
    """The files of an email, from the tenant's own folder.

    Raises:
      PermanentFailure: a file is not there or all together are too large.
      Unavailable: the storage is away.
    """
    files: list[File] = []
    for attachment in attachments:
        room = ATTACHMENTS_MAX - sum(len(file.content) for file in files)
        filename = attachment.get("filename") or attachment["path"].rpartition("/")[2]
        guessed = mimetypes.guess_type(filename)[0] or "application/octet-stream"
        files.append(
            File(
                filename=filename,
                content_type=attachment.get("content_type") or guessed,
                content=storage.read(tenant_id, attachment["path"], room),
            )
        )
    return files


def compose(
    *,
    sender: str,
    to: str,
    subject: str,
    content: Content,
    message_id: str,
    reply_to: str | None = None,
    files: Sequence[File] = (),
) -> EmailMessage:
    """The email as it goes over the wire.

    Raises:
      PermanentFailure: a value cannot stand in an email.
    """
    message = EmailMessage(policy=POLICY)
    try:
        message["From"] = sender
        message["To"] = to
        message["Subject"] = subject
        message["Date"] = formatdate(usegmt=True)
        message["Message-ID"] = message_id
        if reply_to:
            message["Reply-To"] = reply_to
        _set_content(message, content)
        for file in files:
            kind, _, subkind = file.content_type.partition("/")
            message.add_attachment(file.content, maintype=kind, subtype=subkind, filename=file.filename)
    except (ValueError, UnicodeError) as error:
        raise PermanentFailure(f"the email cannot be written: {error}") from error
    return message


def _set_content(message: EmailMessage, content: Content) -> None:
    if content.text is not None or content.html is None:
        message.set_content(content.text or "")
        if content.html is not None:
            message.add_alternative(content.html, subtype="html")
    else:
        message.set_content(content.html, subtype="html")
