"""How a receiver knows that a webhook comes from us.

- ``X-Webhook-Signature``: HMAC-SHA256 of the body, in lower-case hex, keyed with the secret's text as it is.
- ``webhook-signature`` (Standard Webhooks): ``v1,`` and the base64 of the HMAC-SHA256 of
  ``{webhook-id}.{webhook-timestamp}.{body}``. A secret that begins with ``whsec_`` is the base64 of the key;
  any other secret's text is the key. While a secret is being rotated there are two signatures, a space between
  them, the new secret's first; ``X-Webhook-Signature`` is of the new one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from ..broker.errors import PermanentFailure

PREFIX = "whsec_"


def body_signature(secret: str, body: bytes) -> str:
    """The value of ``X-Webhook-Signature``."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def standard_signature(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> str:
    """The value of ``webhook-signature``, with one signature for each secret.

    Raises:
      PermanentFailure: a secret begins with ``whsec_`` and is not base64.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    digests = (hmac.new(_key(secret), signed, hashlib.sha256).digest() for secret in secrets)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def _key(secret: str) -> bytes:
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise PermanentFailure(f"the webhook's secret begins with {PREFIX} and is not base64") from None
