"""HTTP to addresses that strangers name.

1. The URL must be plain: http or https, a host, no credentials.
2. The host is resolved once; what is not on the public internet is refused (``public_address``).
3. The connection goes to the very address that was checked (``pinned_adapter``), so a second answer of the name
   server changes nothing.
4. Redirects are answers like any other; nothing follows them.
5. All of it together has one deadline (``deadline``), and of the answer only the beginning is read.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
import urllib3

from .deadline import Deadline
from .pinned_adapter import PinnedAdapter
from .public_address import ForbiddenAddress, Network, resolve

#: Seconds for everything from the name server to the end of the answer.
TIMEOUT_SECONDS = 30.0
#: Bytes of an answer that are read; the rest stays with the one who sent it.
ANSWER_MAX = 64 * 1024

PORTS = {"http": 80, "https": 443}
_local = threading.local()


class HttpFailed(Exception):
    """No answer came: the name or the connection failed, or the time ran out."""


@dataclass(frozen=True, kw_only=True)
class HttpAnswer:
    """What a server said."""

    status: int
    #: By name in lower case.
    headers: Mapping[str, str]
    #: The beginning, as it came over the wire.
    body: bytes


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allowed: Sequence[Network] = (),
    timeout: float = TIMEOUT_SECONDS,
    ca: str | None = None,
) -> HttpAnswer:
    """Send a body to a URL that a stranger gave.

    Parameters:
      allowed: networks that may be reached although they are not public.
      timeout: seconds for everything together.
      ca: a file with the certificates of a private authority, or None for the public ones.

    Raises:
      ForbiddenAddress: the URL is not plain or leads to no public address.
      HttpFailed: there was no answer, or not in time.
    """
    host, port = plain_host(url)
    request = _prepare(url, body, headers)
    with Deadline(timeout) as deadline:
        try:
            addresses = resolve(host, port, allowed)
            with _connected(addresses, request, deadline, ca) as response:
                answer = _read(response)
        except (OSError, requests.RequestException, urllib3.exceptions.HTTPError) as error:
            if deadline.passed or isinstance(error, requests.Timeout):
                raise HttpFailed(f"no answer within {timeout:g} s") from error
            raise HttpFailed(_reason(error)) from error
    # To the reader a connection that was cut may look like the end of a short answer.
    if deadline.passed:
        raise HttpFailed(f"no answer within {timeout:g} s")
    return answer


def plain_host(url: str) -> tuple[str, int]:
    """Host and port of a URL.

    Raises:
      ForbiddenAddress: it is not http or https, has no host, or carries credentials.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ForbiddenAddress(f"the URL is wrong: {error}") from None
    if parts.scheme not in PORTS or not host or port == 0:
        raise ForbiddenAddress("the URL must look like https://host/path")
    if "@" in parts.netloc:
        raise ForbiddenAddress("the URL must not carry a user or password")
    if "\\" in url or not url.isprintable() or " " in url:
        raise ForbiddenAddress("the URL must have no spaces, backslashes or control characters")
    return host, port or PORTS[parts.scheme]


def _prepare(url: str, body: bytes, headers: Mapping[str, str]) -> requests.PreparedRequest:
    try:
        request = requests.Request("POST", url, data=body, headers=dict(headers)).prepare()
    except (requests.RequestException, UnicodeError) as error:
        raise ForbiddenAddress(f"the URL is wrong: {error}") from None
    # The connection goes to a number; only this header still says which host is meant.
    request.headers["Host"] = urlsplit(str(request.url)).netloc
    return request


def _connected(
    addresses: Sequence[str], request: requests.PreparedRequest, deadline: Deadline, ca: str | None
) -> requests.Response:
    """The answer of the first address that can be connected to."""
    for address in addresses[:-1]:
        try:
            return _adapter().send_to(address, request, deadline, ca)
        except requests.ConnectionError as error:
            if deadline.passed or not _never_connected(error):
                raise
    return _adapter().send_to(addresses[-1], request, deadline, ca)


def _adapter() -> PinnedAdapter:
    """This thread's own, with its open connections."""
    adapter: PinnedAdapter | None = getattr(_local, "adapter", None)
    if adapter is None:
        adapter = _local.adapter = PinnedAdapter()
    return adapter


def _read(response: requests.Response) -> HttpAnswer:
    body: bytes = response.raw.read(ANSWER_MAX + 1, decode_content=False)
    headers = {name.lower(): value for name, value in response.headers.items()}
    return HttpAnswer(status=response.status_code, headers=headers, body=body[:ANSWER_MAX])


def _never_connected(error: requests.ConnectionError) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", None), urllib3.exceptions.NewConnectionError)


def _reason(error: Exception) -> str:
    """The innermost sentence of errors that wrap each other."""
    while True:
        inner = getattr(error, "reason", None) or next(iter(error.args), None)
        if not isinstance(inner, Exception):
            break
        error = inner
    cause = error.__cause__
    named = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return f"{type(cause).__name__}: {cause}" if isinstance(cause, OSError) and str(cause) else named
