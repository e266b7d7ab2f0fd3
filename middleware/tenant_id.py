"""Who a job is for."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator

from ..broker.admission import TENANT_NUMBERS
from ..broker.job import SYSTEM

_TEXT = re.compile(r"[A-Za-z0-9._-]{1,64}")


def tenant_text(value: object) -> str:
    """A tenant id as the text under which it is kept.

    Raises:
      ValueError: it is neither a whole number, nor such a text, nor ``SYSTEM``.
    """
    # A bool is an int to Python, and tenant "True" to whoever reads the log.
    if isinstance(value, int) and not isinstance(value, bool) and -TENANT_NUMBERS < value < TENANT_NUMBERS:
        value = str(int(value))
    if isinstance(value, str) and (value == SYSTEM or _TEXT.fullmatch(value)):
        # An enum's member may be text, and be shown as something else.
        return str.__str__(value)
    raise ValueError("allowed are a whole number or 1 to 64 of the characters A-Z a-z 0-9 . _ -")


#: The type of a ``tenant_id`` argument: send it as int or text, the actor receives text.
TenantId = Annotated[int | str, BeforeValidator(tenant_text)]
