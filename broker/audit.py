"""What an audit has found, and what was done about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be."""

    kind: str
    #: The job, queue, tenant, worker or key that it is about.
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.name} {self.text}"


@dataclass(frozen=True)
class Repair:
    """One thing that was mended."""

    #: The job, queue, tenant, worker or key that it is about.
    name: str
    text: str

    def __str__(self) -> str:
        return f"mended: {self.name} {self.text}"


@dataclass(frozen=True)
class AuditReport:
    """What an audit looked at, found and mended."""

    jobs: int
    findings: tuple[Finding, ...]
    #: What was done about it; nothing unless a repair was asked for.
    repairs: tuple[Repair, ...] = ()
    #: What was found once more after the repair.
    left: tuple[Finding, ...] = ()
    #: Counts that would have taken too long to look at; whether they are true is not known.
    unseen: tuple[Finding, ...] = ()

    @property
    def clean(self) -> bool:
        """Nothing was found."""
        return not self.findings

    @property
    def mended(self) -> bool:
        """Something was found and done, and a further audit found nothing."""
        return bool(self.repairs) and not self.left

    def by_kind(self) -> dict[str, int]:
        """Kind -> findings of it."""
        return dict(Counter(finding.kind for finding in self.findings))

    def verdict(self) -> str:
        """All of it in one line."""
        if self.clean:
            unseen = " and ".join(f"{finding.name} {finding.text}" for finding in self.unseen)
            counts = f"all other counts true; not looked at: the {unseen}" if unseen else "all counts true"
            return f"audit: clean, {self.jobs} jobs each in one place, {counts}"
        found = f"audit: {len(self.findings)} findings in {self.jobs} jobs"
        if self.mended:
            return f"{found}, all mended by {len(self.repairs)} repairs"
        return f"{found}, {len(self.left)} left after {len(self.repairs)} repairs" if self.left else found

    def __str__(self) -> str:
        left = [f"left: {finding}" for finding in self.left]
        unseen = [] if self.clean else list(map(str, self.unseen))
        return "\n  ".join([self.verdict(), *map(str, self.findings), *map(str, self.repairs), *left, *unseen])


def findings(flat: list[bytes]) -> Iterator[Finding]:
    """What a script answers: kind, name, text of each."""
    words = [word.decode(errors="backslashreplace") for word in flat]
    for start in range(0, len(words), 3):
        yield Finding(*words[start : start + 3])


def repairs(flat: list[bytes]) -> Iterator[Repair]:
    """What a script answers: name, text of each."""
    words = [word.decode(errors="backslashreplace") for word in flat]
    for start in range(0, len(words), 2):
        yield Repair(*words[start : start + 2])
