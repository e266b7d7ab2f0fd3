"""What ``jobfleet check`` wants of the mail server, the storage and the disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import fsspec
from fsspec.implementations.local import LocalFileSystem

from ..broker.errors import ConfigurationError, Unavailable
from ..broker.settings import settings
from .check_result import Result, error, ok, warning

#: Seconds that each step of the conversation with the mail server may take.
MAIL_SECONDS = 5.0
#: Bytes that should be free on the disk.
FREE = 2**30


def check_mail() -> Iterator[Result]:
    """The mail server lets us in."""
    url = settings().smtp_url
    if url is None:
        yield warning(
            "mail", "SMTP_URL is not set", "no email can be sent; set it, such as smtp://localhost:25?from=a@b.c"
        )
        return
    # Put off, since the actors bring much along that no other command needs.
    from ..actors.smtp import MailServer
    from ..actors.smtp_url import SmtpUrl

    try:
        parsed = SmtpUrl.parse(url)
        # Connects, speaks TLS and logs in exactly as the email actor will.
        with MailServer(parsed, MAIL_SECONDS).connected():
            pass
        yield ok("mail", f"{parsed.address} lets us in, emails come from {parsed.sender}")
    except Unavailable as away:
        yield error("mail", str(away), "start it, or mend SMTP_URL")
    except ConfigurationError as wrong:
        yield error("mail", str(wrong), "mend it")


def check_storage() -> Iterator[Result]:
    """The place of the tenants' files can be written to."""
    chosen = settings()
    url = chosen.storage_url or (chosen.jobfleet_home.absolute() / "files").as_uri()
    try:
        files, root = fsspec.core.url_to_fs(url)
        if isinstance(files, LocalFileSystem):
            _refuse_read_only(Path(root))
        else:
            probe = f"{root.rstrip('/')}/.jobfleet-check-{uuid4().hex}"
            files.pipe_file(probe, b"")
            files.rm_file(probe)
        yield ok("storage", f"{url} can be written")
    except Exception as wrong:  # noqa: BLE001 (every kind of storage has errors of its own)
        sentence = " ".join(str(wrong).split()) or type(wrong).__name__
        yield error("storage", f"{url} cannot be written: {sentence}", "mend STORAGE_URL or its rights")


def check_disk() -> Iterator[Result]:
    """There is room where the embedded servers and files are."""
    place = _nearest(settings().jobfleet_home.absolute())
    usage = shutil.disk_usage(place)
    text = f"{usage.free / 2**30:.1f} GiB of {usage.total / 2**30:.0f} GiB free at {place}"
    yield ok("disk", text) if usage.free >= FREE else warning("disk", text, "make room")


def _refuse_read_only(folder: Path) -> None:
    place = _nearest(folder)
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        raise PermissionError(f"{place} is no folder that we may write to")


def _nearest(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    return next(step for step in (path, *path.parents) if step.exists())
