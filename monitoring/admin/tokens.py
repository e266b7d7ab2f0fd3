"""The bearer tokens of the admin server."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache

from pydantic import SecretStr

from ...broker.settings import settings
from .role import Role

#: What one guess of the token behind a fingerprint costs: some 30 ms and 16 MB, also for a token that is a word.
COST = {"n": 2**14, "r": 8, "p": 1}


@dataclass(frozen=True)
class Tokens:
    """The tokens that are known; an empty one is nobody's.

    Without any, all that is not open to anyone is open to nobody: a page in a browser of this machine could call a
    port of this machine, too.
    """

    admin: str = ""
    viewer: str = ""
    alertmanager: str = ""

    @classmethod
    def configured(cls) -> Tokens:
        """Those of JOBFLEET_ADMIN_TOKEN, JOBFLEET_VIEWER_TOKEN and JOBFLEET_ALERTS_TOKEN."""
        chosen = settings()
        return cls(
            admin=_told(chosen.jobfleet_admin_token),
            viewer=_told(chosen.jobfleet_viewer_token),
            alertmanager=_told(chosen.jobfleet_alerts_token),
        )

    def __repr__(self) -> str:
        return "Tokens(" + ", ".join(f"{role.value}={bool(token)}" for role, token in self._of().items()) + ")"

    def role_of(self, authorization: str) -> Role:
        """The role of a request by its header Authorization, compared in constant time."""
        scheme, _, given = authorization.partition(" ")
        same = [role for role, token in self._of().items() if _equal(given.strip(), token)]
        if scheme.lower() != "bearer":
            return Role.ANYONE
        return same[0] if same else Role.ANYONE

    def fingerprint(self, role: Role) -> str:
        """By what a role's token is recognised in an audit row; the token cannot be had from it."""
        token = self._of().get(role, "")
        return _fingerprint(token) if token else ""

    def _of(self) -> dict[Role, str]:
        """The greatest role first."""
        return {Role.ADMIN: self.admin, Role.VIEWER: self.viewer, Role.ALERTMANAGER: self.alertmanager}


def _told(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


def _equal(given: str, token: str) -> bool:
    same = hmac.compare_digest(given.encode("utf-8", "replace"), token.encode("utf-8", "replace"))
    return same and token != ""


@lru_cache(maxsize=8)
def _fingerprint(token: str) -> str:
    # Without a salt of its own, so that every monitor and every start names a token alike.
    return hashlib.scrypt(token.encode("utf-8", "replace"), salt=b"jobfleet admin audit", dklen=4, **COST).hex()
