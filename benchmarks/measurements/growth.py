"""Whether a job costs more when many wait, or many tenants are in line."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from jobfleet.benchmarks.measurements.level import Level
from jobfleet.benchmarks.servers import RedisServer
from jobfleet.benchmarks.stage import Stage

#: Turns that each level takes.
TURNS = 20


def costs_in_turn(levels: Sequence[Level], jobs: int) -> list[dict[str, float]]:
    """Run `jobs` on each of several levels that stand at once, a twentieth of them a turn.

    The turns alternate, and every second round begins with the last level: a machine whose speed changes from one
    minute to the next, as shared ones do, then changes the figures of all levels and leaves their ratio alone.

    Returns:
      For each level, CPU of Redis (bulk send, fetch and settle) and of the worker per job, in us.
    """
    try:
        for level in levels:
            level.fill(jobs // 4)
        for turn in range(TURNS):
            for level in levels if turn % 2 == 0 else reversed(levels):
                level.run(jobs // TURNS)
        return [level.costs() for level in levels]
    finally:
        for level in levels:
            level.close()


def times_in_turn(much: Sequence[dict[str, float]], little: Sequence[dict[str, float]], key: str) -> float:
    """How many times as much one level costs as another: the median of the rounds' ratios."""
    return median(more[key] / less[key] for more, less in zip(much, little, strict=True))


def bytes_per_job(stage: Stage, jobs: int) -> dict[str, float]:
    """Memory of Redis that a waiting job takes: all of it, its message, and what remains beyond that."""
    server = stage.server
    assert isinstance(server, RedisServer)
    _send(stage, 1000)
    before, journal = _memory(server)
    _send(stage, jobs)
    after, grown = _memory(server)
    payload = float(stage.sender.tell("payload").result)
    each = (after - before - (grown - journal)) / jobs
    return {"each": each, "payload": payload, "beyond": each - payload, "journal": (grown - journal) / jobs}


def _memory(server: RedisServer) -> tuple[int, int]:
    keys = list(server.client.scan_iter(match="*:journal"))
    return int(server.client.info("memory")["used_memory"]), sum(
        int(server.client.memory_usage(key, samples=0) or 0) for key in keys
    )


def _send(stage: Stage, jobs: int) -> None:
    for start in range(0, jobs, 10_000):
        stage.sender.tell("spread", min(10_000, jobs - start), 1)
