"""Who may use a route."""

from __future__ import annotations

from enum import Enum


class Role(Enum):
    """What a token allows. The admin may do everything; the others only what is theirs."""

    #: No token.
    ANYONE = "anyone"
    #: Hands in what Alertmanager tells; may neither look nor change.
    ALERTMANAGER = "alertmanager"
    #: May look.
    VIEWER = "viewer"
    #: May change.
    ADMIN = "admin"

    def allows(self, needed: Role) -> bool:
        """Whether who has this role may use a route that needs that one."""
        return needed in (Role.ANYONE, self) or self is Role.ADMIN
