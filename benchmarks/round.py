"""One contender's turn in one round."""

from __future__ import annotations

from dataclasses import dataclass

from jobfleet.benchmarks.contender import Contender
from jobfleet.benchmarks.measurements.drain import drain
from jobfleet.benchmarks.measurements.idle import idle
from jobfleet.benchmarks.measurements.moments import lateness, pick_up
from jobfleet.benchmarks.stage import House, stage
from jobfleet.benchmarks.targets import Rounds


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much is measured in a round."""

    #: Jobs of a drain.
    jobs: int
    #: Jobs that are sent one by one.
    singles: int
    #: Jobs whose moments are taken.
    moments: int
    #: Seconds for which an idle fleet is watched.
    idle_seconds: float


def take_turn(contender: Contender, house: House, effort: Effort) -> Rounds:
    """Measure everything but the recovery, once.

    The bulk send is also what fills the queue for the drain. Before each there are a few hundred sends that do not count,
    so that connections stand and scripts are known.
    """
    found: Rounds = {}
    with stage(contender, house) as set_up:
        set_up.sender.tell("singles", effort.singles // 10)
        found["single"] = [effort.singles / set_up.sender.tell("singles", effort.singles).seconds]
        found["bulk"] = [effort.jobs / set_up.sender.tell("bulk", effort.jobs).seconds]
        workers = set_up.start(2)
        result = drain(set_up, workers, effort.jobs + effort.singles + effort.singles // 10, 2)
        found["drain"] = [result.pop("rate")]
        found |= {name: [value] for name, value in result.items()}
        set_up.warm(2)
        found["pick"] = pick_up(set_up, effort.moments)
        if contender.delays:
            found["late"] = lateness(set_up, effort.moments)
        found |= {name: [value] for name, value in idle(set_up, workers, effort.idle_seconds).items()}
    with stage(contender, house) as set_up:
        set_up.sender.tell("bulk", effort.jobs // 2)
        found["drain_one"] = [drain(set_up, set_up.start(1), effort.jobs // 2, 1)["rate"]]
    return found
