"""The bearer tokens of the admin server."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from ...broker.settings import settings
from .role import Role


@dataclass(frozen=True)
class Tokens:
    """The tokens that are known; an empty one is nobody's.

    Without any, all that is not open to anyone is open to nobody: a page in a browser of this machine could call a
    port of this machine, too.
    """

    admin: str = ""
    viewer: str = ""

    @classmethod
    def configured(cls) -> Tokens:
        """Those of JOBFLEET_ADMIN_TOKEN and JOBFLEET_VIEWER_TOKEN."""
        admin, viewer = settings().jobfleet_admin_token, settings().jobfleet_viewer_token
        return cls(admin.get_secret_value() if admin else "", viewer.get_secret_value() if viewer else "")

    def __repr__(self) -> str:
        return f"Tokens(admin={bool(self.admin)}, viewer={bool(self.viewer)})"

    def role_of(self, authorization: str) -> Role:
        """The role of a request by its header Authorization, compared in constant time."""
        scheme, _, given = authorization.partition(" ")
        is_admin, is_viewer = (_equal(given.strip(), token) for token in (self.admin, self.viewer))
        if scheme.lower() != "bearer":
            return Role.ANYONE
        return Role.ADMIN if is_admin else Role.VIEWER if is_viewer else Role.ANYONE


def _equal(given: str, token: str) -> bool:
    same = hmac.compare_digest(given.encode("utf-8", "replace"), token.encode("utf-8", "replace"))
    return same and token != ""
