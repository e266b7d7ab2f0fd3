"""The outside world of the pictures' fleet: who takes its emails and webhooks, and how."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from jobfleet.cli.webhook_receiver import Behaviour

#: With what webhooks are signed.
SECRET = "the pictures' secret"
#: Who may not get emails, and who gets them at the second attempt.
REFUSED = "nobody@umbrella.example"
DEFERRED = "greylist@umbrella.example"

#: How the endpoints behave, given how often a webhook has come before.
ENDPOINTS: Mapping[str, Behaviour] = MappingProxyType(
    {
        "/healthy": lambda earlier: 200,
        "/shaky": lambda earlier: 503 if earlier < 1 else 200,
        "/broken": lambda earlier: 500,
    }
)
#: Tenant -> plan, and the endpoint of its webhooks.
TENANTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "acme": ("enterprise", "/healthy"),
        "globex": ("enterprise", "/shaky"),
        "hooli": ("pro", "/healthy"),
        "umbrella": ("pro", "/broken"),
        "initech": ("starter", "/healthy"),
        "wayne": ("starter", "/healthy"),
        "stark": ("free", "/healthy"),
        "wonka": ("free", "/healthy"),
    }
)
