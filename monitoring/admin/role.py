"""Who may use a route."""

from __future__ import annotations

from enum import IntEnum


class Role(IntEnum):
    """What a token allows; a higher one allows what lower ones do."""

    #: No token.
    ANYONE = 0
    #: May look.
    VIEWER = 1
    #: May change.
    ADMIN = 2
