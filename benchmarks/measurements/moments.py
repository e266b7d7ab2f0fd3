"""When jobs are reached: at once on an idle fleet, and after a delay."""

from __future__ import annotations

import random
import time

from jobfleet.benchmarks.stage import Stage

#: Seconds of silence before each job of the pick-up: enough for whatever polls to have slowed down.
SILENCE = (0.05, 0.25)
#: Milliseconds of the delay, and seconds between two delayed jobs, so that they are due one by one.
DELAY_MS = 1000
SPACING = 0.037
#: Seconds after which a job counts as never reached.
PATIENCE = 10.0


def pick_up(stage: Stage, samples: int) -> list[float]:
    """Milliseconds from just before a send to the first line of its job, one job at a time."""
    found = []
    for index in range(samples):
        time.sleep(random.uniform(*SILENCE))
        token = f"pick-{index}"
        sent = stage.sender.tell("stamp", token, 0).began_ns
        reached = stage.marks.wait_for({token}, PATIENCE)[token]
        found.append((reached - sent) / 1e6)
    return found


def lateness(stage: Stage, samples: int) -> list[float]:
    """Milliseconds that a job with a delay of one second runs after it is due."""
    due = {}
    for index in range(samples):
        token = f"late-{index}"
        due[token] = stage.sender.tell("stamp", token, DELAY_MS).began_ns + DELAY_MS * 1_000_000
        time.sleep(SPACING)
    stamps = stage.marks.wait_for(set(due), PATIENCE)
    return [(stamps[token] - moment) / 1e6 for token, moment in due.items()]
