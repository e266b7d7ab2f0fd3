"""An idempotency key made from what a job is about."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from ..broker.errors import InvalidPayload
from .plain_json import plain_json
from .tenant_id import tenant_text

#: No colon, so that the parts of a key stay apart; with 100 characters of it a key has at most 230.
_TYPE = re.compile(r"[A-Za-z0-9._-]{1,100}")


def generate_job_id(type: str, tenant_id: int | str, data: Any) -> str:
    """The idempotency key ``"{type}:{tenant}:{sha256 of the data}"``: the same content, the same key.

    >>> welcome = {"to": "user@example.com", "subject": "Welcome!"}
    >>> key = generate_job_id("email", 42, welcome)
    >>> send_email.with_options(idempotency_key=key).send(tenant_id=42, body="Hello", **welcome)

    Data is the same when it is as JSON the same: names in any order, lists and tuples alike. A number counts, not
    how it is written: 1 and 1.0 are the same (JSON, JavaScript and Python's own == agree), 1 and "1" and True are
    not. Text counts character by character: an accented letter as one character and as two are different.

    A moment or a random part in the data makes every key another one, which protects nothing.

    Parameters:
      type: what kind of job it is, such as ``email``; 1 to 100 of the characters A-Z a-z 0-9 . _ -
      tenant_id: whose job it is.
      data: what makes two jobs one, of nothing but what JSON holds.

    Returns:
      a key of at most 230 characters.

    Raises:
      InvalidPayload: one of them is wrong; the sentence says where, ``.field`` is its name.
    """
    if not isinstance(type, str) or not _TYPE.fullmatch(type):
        raise InvalidPayload(f"type is {type!r:.100}; allowed are 1 to 100 of A-Z a-z 0-9 . _ -", field="type")
    try:
        tenant = tenant_text(tenant_id)
    except ValueError as error:
        raise InvalidPayload(f"tenant_id is {tenant_id!r:.100}; {error}", field="tenant_id") from None
    digest = hashlib.sha256(canonical_json(plain_json(data, "data"))).hexdigest()
    return f"{type}:{tenant}:{digest}"


def canonical_json(value: Any) -> bytes:
    """The one way to write a plain JSON value: names sorted, no spaces, UTF-8, whole numbers without a point."""
    text = json.dumps(_whole(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_whole(part) for part in value]
    if isinstance(value, dict):
        return {name: _whole(part) for name, part in value.items()}
    return value
