"""Whose turn it is in one queue: start-time fair queueing (Goyal, Vin and Cheng, 1996)."""

from __future__ import annotations

from collections import defaultdict

#: Tags closer than this are equal: sums of fractions differ in their last bits, and the broker puts a tenant one or a
#: few steps of 1/65536 ms behind those that have come to its tag before it.
SAME = 1e-3
#: The least that a start is charged, in ms.
LEAST_CHARGE = 1.0


class FairOrder:
    """A start tag for each tenant: the lowest is next, and a start moves it on by ms / weight."""

    def __init__(self, weights: dict[str, int]) -> None:
        self.weights = weights
        #: The highest tag that was served.
        self.virtual = 0.0
        #: Tenants in line, and idle ones while their tag is ahead of virtual time.
        self.tags: dict[str, float] = {}
        self.owed: defaultdict[str, float] = defaultdict(float)

    def enter(self, tenant: str) -> None:
        """A tenant has work again: no credit for having been idle, and what it has used stays used."""
        self.tags[tenant] = max(self.virtual, self.tags.get(tenant, 0.0))

    def turns(self, in_line: set[str]) -> set[str]:
        """Who may be next; between equals the broker is free to choose."""
        tags = {tenant: self.tags[tenant] for tenant in in_line}
        return {tenant for tenant, tag in tags.items() if tag <= min(tags.values()) + SAME}

    def serve(self, tenant: str, ms: float, still_in_line: set[str]) -> None:
        """A start. Virtual time passes what idle tenants had used, which is forgotten then."""
        served = self.tags[tenant]
        self.tags[tenant] += ms / self.weights.get(tenant, 1)
        if served > self.virtual:
            self.virtual = served
            kept = {who: tag for who, tag in self.tags.items() if who in still_in_line or tag > served}
            self.tags.clear()
            self.tags.update(kept)

    def owe(self, tenant: str, ms: float) -> None:
        """A start was charged too little, or too much where `ms` is negative."""
        self.owed[tenant] += ms

    def settle_up(self) -> None:
        """The end of a step: charge what is owed. Who is idle and long passed gets nothing back."""
        for tenant, ms in self.owed.items():
            delta = ms / self.weights.get(tenant, 1)
            if tenant in self.tags:
                self.tags[tenant] += delta
            elif delta > 0:
                self.tags[tenant] = self.virtual + delta
        self.owed.clear()
