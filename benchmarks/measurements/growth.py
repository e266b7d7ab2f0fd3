"""Whether a job costs more when many wait, or many tenants are in line."""

from __future__ import annotations

import time

from jobfleet.benchmarks.servers import RedisServer
from jobfleet.benchmarks.stage import Stage

#: Jobs that one bulk send brings while the level is held.
PORTION = 250
#: Seconds without any progress after which it is given up.
PATIENCE = 30.0


def cost_at(stage: Stage, waiting: int, tenants: int, jobs: int) -> dict[str, float]:
    """Hold a number of waiting jobs, of as many tenants in turn, while others run.

    Returns:
      CPU of Redis (bulk send, fetch and settle) and of the worker per job, in us.
    """
    _send(stage, waiting, tenants)
    workers = stage.start(1)
    _hold(stage, waiting, tenants, jobs // 4)
    began, fleet, server = stage.marks.total(), workers.cpu(), stage.server.cpu()
    _hold(stage, waiting, tenants, began + jobs)
    done = stage.marks.total() - began
    return {
        "fleet_us": (workers.cpu() - fleet) / done * 1e6,
        "server_us": (stage.server.cpu() - server) / done * 1e6,
    }


def bytes_per_job(stage: Stage, jobs: int) -> dict[str, float]:
    """Memory of Redis that a waiting job takes: all of it, its message, and what remains beyond that."""
    server = stage.server
    assert isinstance(server, RedisServer)
    _send(stage, 1000, 1)
    before, journal = _memory(server)
    _send(stage, jobs, 1)
    after, grown = _memory(server)
    payload = float(stage.sender.tell("payload").result)
    each = (after - before - (grown - journal)) / jobs
    return {"each": each, "payload": payload, "beyond": each - payload, "journal": (grown - journal) / jobs}


def _memory(server: RedisServer) -> tuple[int, int]:
    keys = list(server.client.scan_iter(match="*:journal"))
    return int(server.client.info("memory")["used_memory"]), sum(
        int(server.client.memory_usage(key, samples=0) or 0) for key in keys
    )


def _send(stage: Stage, jobs: int, tenants: int) -> None:
    for start in range(0, jobs, 10_000):
        stage.sender.tell("spread", min(10_000, jobs - start), tenants)


def _hold(stage: Stage, waiting: int, tenants: int, until: int) -> None:
    """Send as many as are run, until `until` have run."""
    done, changed = stage.marks.total(), time.monotonic()
    sent = int(stage.sender.tell("sent").result)
    while done < until:
        if sent - done < waiting:
            stage.sender.tell("spread", PORTION, tenants)
            sent += PORTION
        else:
            time.sleep(0.002)
        now = stage.marks.total()
        if now > done:
            done, changed = now, time.monotonic()
        elif time.monotonic() - changed > PATIENCE:
            raise RuntimeError(f"{done} of {until} jobs have run, then none:\n{stage.log.read_text()[-2000:]}")
