"""What the fields of an email may hold, checked in the caller."""

from __future__ import annotations

import re
from email.errors import HeaderParseError
from email.headerregistry import Address
from typing import Annotated, NotRequired

from pydantic import AfterValidator, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from .storage import relative_path

#: Characters of a header; the longest line that mail servers must take.
HEADER_MAX = 998
#: Characters of an address and of its part before the @.
ADDRESS_MAX, LOCAL_MAX = 254, 64

_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def header_text(value: str) -> str:
    """A text that can stand in a header: one line, so that nothing in it can begin another header.

    Raises:
      ValueError: it has a line break or another control character, or is too long.
    """
    if _CONTROL.search(value):
        raise ValueError("line breaks and control characters are not allowed in a header")
    if len(value) > HEADER_MAX:
        raise ValueError(f"at most {HEADER_MAX} characters are allowed in a header")
    return value


def address(value: str) -> str:
    """An address, alone or with a name, such as ``Ada <ada@example.com>``; the domain as DNS writes it.

    Raises:
      ValueError: it is not one address.
    """
    header_text(value)
    name, bare = _split(value)
    local, _, domain = bare.rpartition("@")
    try:
        domain = domain.encode("idna").decode()
    except UnicodeError:
        domain = ""
    if not _is_address(local, domain):
        raise ValueError("allowed is one address, such as ada@example.com or Ada <ada@example.com>")
    try:
        return str(Address(name, username=local, domain=domain))
    except (HeaderParseError, ValueError) as error:
        raise ValueError(f"it is no address: {error}") from None


def bare_address(value: str) -> str:
    """Only the address of what ``address`` returned, without the name."""
    return _split(value)[1]


def template_name(value: str) -> str:
    """The name of a template: its path in the folder, without the ending.

    Raises:
      ValueError: it could be a path elsewhere.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*", value) or len(value) > 200:
        raise ValueError("allowed is a name such as welcome or orders/shipped, without an ending")
    return value


def content_type(value: str) -> str:
    """A media type, such as ``application/pdf``.

    Raises:
      ValueError: it is none.
    """
    if not re.fullmatch(r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}", value):
        raise ValueError("allowed is a media type such as application/pdf")
    if value.lower().startswith(("multipart/", "message/")):
        raise ValueError("a file cannot be a multipart or a message")
    return value


def _split(value: str) -> tuple[str, str]:
    """Name and address; by hand, as the standard library's parser finds addresses in what is none."""
    if not value.endswith(">"):
        return "", value.strip()
    name, _, bare = value[:-1].rpartition("<")
    name = name.strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return name, bare


def _is_address(local: str, domain: str) -> bool:
    return (
        len(local) <= LOCAL_MAX
        and len(local) + 1 + len(domain) <= ADDRESS_MAX
        and _LOCAL.fullmatch(local) is not None
        and all(_LABEL.fullmatch(label) for label in domain.split("."))
    )


EmailAddress = Annotated[str, AfterValidator(address)]
HeaderText = Annotated[str, AfterValidator(header_text)]
TemplateName = Annotated[str, AfterValidator(template_name)]


@with_config(ConfigDict(extra="forbid"))
class Attachment(TypedDict):
    """A file of the tenant that goes with an email."""

    #: Below the tenant's own folder of the storage.
    path: Annotated[str, AfterValidator(relative_path)]
    #: What the recipient sees; the last part of the path if not given.
    filename: NotRequired[Annotated[str, Field(min_length=1, max_length=255), AfterValidator(header_text)]]
    #: Guessed from the name if not given.
    content_type: NotRequired[Annotated[str, AfterValidator(content_type)]]
