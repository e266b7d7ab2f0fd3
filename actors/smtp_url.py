"""``SMTP_URL``, taken apart and checked."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from ..broker.errors import ConfigurationError
from .email_fields import address

#: Ports by scheme: 25 between servers, 465 with TLS from the first byte; 587 must be written out.
PORTS = {"smtp": 25, "smtps": 465}
PARAMETERS = ("ca", "from", "starttls")
_EXAMPLE = "smtp://user:password@host:587?starttls=true&from=shop@example.com"


@dataclass(frozen=True, kw_only=True)
class SmtpUrl:
    """Where the mail server is and how to talk to it."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    tls: bool
    starttls: bool
    #: The address that emails come from, perhaps with a name.
    sender: str
    #: A file with the certificates of a private authority, or None for those of the system.
    ca: str | None

    @property
    def encrypted(self) -> bool:
        """Whether emails and the password travel encrypted."""
        return self.tls or self.starttls

    @property
    def address(self) -> str:
        """Host and port, without the password."""
        return f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, url: str | None) -> SmtpUrl:
        """Read the setting.

        Raises:
          ConfigurationError: says which part is wrong and what is allowed; never shows the password.
        """
        if not url:
            raise ConfigurationError(f"SMTP_URL is not set; it must look like {_EXAMPLE}")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise ConfigurationError(f"SMTP_URL has a wrong host or port; it must look like {_EXAMPLE}") from None
        if parts.scheme not in PORTS or not host or parts.path not in ("", "/") or parts.fragment:
            raise ConfigurationError(f"SMTP_URL cannot be read; it must look like {_EXAMPLE} or smtps://...")
        given = _parameters(parts.query)
        smtp = cls(
            host=host,
            port=port or PORTS[parts.scheme],
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            tls=parts.scheme == "smtps",
            starttls=_flag(given.get("starttls", "false")),
            sender=_sender(given.get("from"), unquote(parts.username or "")),
            ca=_file(given.get("ca")),
        )
        smtp._check()
        return smtp

    def _check(self) -> None:
        if self.tls and self.starttls:
            raise ConfigurationError("SMTP_URL has smtps:// and starttls=true; they exclude each other")
        if self.user and not self.encrypted and not _is_loopback(self.host):
            raise ConfigurationError(
                "SMTP_URL would send the password unencrypted; write smtps:// or add starttls=true"
            )


def _parameters(query: str) -> Mapping[str, str]:
    given = parse_qs(query, keep_blank_values=True)
    for name, values in given.items():
        if name not in PARAMETERS:
            close = get_close_matches(name, PARAMETERS, n=1)
            advice = f"did you mean {close[0]}?" if close else f"allowed are {', '.join(PARAMETERS)}"
            raise ConfigurationError(f"SMTP_URL has a parameter {name}; {advice}")
        if len(values) > 1:
            raise ConfigurationError(f"SMTP_URL has the parameter {name} twice")
    return {name: values[0] for name, values in given.items()}


def _flag(value: str) -> bool:
    if value not in ("true", "false"):
        raise ConfigurationError(f"SMTP_URL has starttls={value}; allowed are true and false")
    return value == "true"


def _sender(value: str | None, user: str) -> str:
    try:
        return address(value if value is not None else user)
    except ValueError:
        wrong = f"from={value}" if value is not None else "no from"
        raise ConfigurationError(
            f"SMTP_URL has {wrong}; add the sender's address, such as from=shop@example.com"
        ) from None


def _file(value: str | None) -> str | None:
    if value is not None and not Path(value).is_file():
        raise ConfigurationError(f"SMTP_URL has ca={value}, which is no file")
    return value


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
