"""Shares: whether those who want the same get the same, and those who weigh more get more."""

from __future__ import annotations

from jobfleet.benchmarks.extent import Setting
from jobfleet.benchmarks.measurements.shares import Claim, farthest, jain, shares
from jobfleet.benchmarks.part import Goal, Part
from jobfleet.benchmarks.scenes import FAIR
from jobfleet.benchmarks.stage import stage

#: Tenants who want the same.
TENANTS = 50
JAIN, APART = 0.99, 0.05

#: Milliseconds of a job, and of the jobs of tenants whose jobs are not alike.
MS, UNLIKE = 20, (10, 20, 40, 80)

CASES = {
    f"{TENANTS} tenants, jobs of {MS} ms": {f"t{number}": Claim(MS) for number in range(TENANTS)},
    f"{TENANTS} tenants, jobs of 10, 20, 40 or 80 ms": {
        f"t{number}": Claim(UNLIKE[number % len(UNLIKE)]) for number in range(TENANTS)
    },
    "3 tenants with weights 1, 2 and 4": {f"weight-{weight}": Claim(MS, weight) for weight in (1, 2, 4)},
}


def measure(setting: Setting) -> Part:
    """Count the service of each case."""
    rows, goals, data = [], [], {}
    for title, claims in CASES.items():
        setting.console.print(f"{title} ...")
        with stage(FAIR, setting.house) as set_up:
            service = shares(set_up, claims, setting.extent.share_seconds)
        weights = sum(claim.weight for claim in claims.values())
        just = [service[tenant] / claim.weight for tenant, claim in claims.items()]
        index, apart = jain(just), farthest(service, claims)
        largest = max(service, key=lambda tenant: service[tenant] / claims[tenant].weight)
        least = min(service, key=lambda tenant: service[tenant] / claims[tenant].weight)
        rows.append([title, f"{index:.4f}", f"{apart:.1%}", f"{service[least]:.2f}", f"{service[largest]:.2f}"])
        data[title] = {"jain": index, "apart": apart, "service": service, "weights": weights}
        if weights == len(claims):
            goals.append(
                Goal(title=f"Jain's index, {title}", figure=index, bound=JAIN, at_least=True, unit="", digits=4)
            )
        else:
            goals.append(Goal(title=f"off its share at most, {title}", figure=apart, bound=APART, unit="", digits=3))
    head = ("", "Jain's index", "farthest off its share", "least served (s)", "most served (s)")
    return Part(head=head, rows=rows, goals=goals, data=data)
