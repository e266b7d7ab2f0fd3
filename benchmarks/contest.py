"""All rounds of all contenders, in rotation."""

from __future__ import annotations

from dataclasses import dataclass, field

from rich.console import Console

from jobfleet.benchmarks.contender import Contender
from jobfleet.benchmarks.measurements.recovery import recovery
from jobfleet.benchmarks.round import Effort, take_turn
from jobfleet.benchmarks.stage import House, stage
from jobfleet.benchmarks.targets import Rounds

#: Jobs of the recovery measurement, 50 ms each.
NAPS = 900


@dataclass(kw_only=True)
class Contest:
    """What was measured, by contender.

    Parameters:
      house: what all stages share.
      console: where progress is told.
      taking_part: who is measured; one that fails is left out from then on.
    """

    house: House
    console: Console
    taking_part: list[Contender]
    #: Samples by contender and column, round by round.
    samples: dict[str, Rounds] = field(default_factory=dict)
    #: What is shown in place of a figure.
    notes: dict[str, dict[str, str]] = field(default_factory=dict)

    def run(self, rounds: int, effort: Effort, patience: float) -> None:
        """Measure everybody in every round, each round beginning with another one; then the recoveries."""
        self.samples = {contender.name: {} for contender in self.taking_part}
        self.notes = {contender.name: {} for contender in self.taking_part}
        for number in range(rounds):
            shift = number % max(len(self.taking_part), 1)
            for contender in self.taking_part[shift:] + self.taking_part[:shift]:
                self.console.print(f"round {number + 1}: {contender.name} ...")
                self._take_turn(contender, effort)
        for contender in self.taking_part:
            self.console.print(f"kill -9: {contender.name} ...")
            self._recover(contender, patience)

    def _take_turn(self, contender: Contender, effort: Effort) -> None:
        try:
            measured = take_turn(contender, self.house, effort)
        except (RuntimeError, OSError, KeyError) as error:
            self.console.print(f"{contender.name} is left out: {error}")
            self.taking_part = [other for other in self.taking_part if other is not contender]
            del self.samples[contender.name]
            return
        for key, values in measured.items():
            self.samples[contender.name].setdefault(key, []).extend(values)

    def _recover(self, contender: Contender, patience: float) -> None:
        try:
            with stage(contender, self.house) as set_up:
                found = recovery(set_up, set_up.start(2, apart=True), NAPS, patience)
        except (RuntimeError, OSError) as error:
            self.console.print(f"{contender.name} shows no recovery: {error}")
            return
        if found["recovery"] is None:
            self.notes[contender.name]["recovery"] = f"not in {patience:.0f} ({found['not_run']:.0f} missing)"
        else:
            self.samples[contender.name]["recovery"] = [found["recovery"]]
