"""What ``jobfleet check`` wants of Redis or Valkey."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import redis
from dramatiq.errors import ConnectionClosed

from ..broker import FairBroker
from ..broker.connection import describe, reachable
from ..broker.errors import ConfigurationError
from .check_result import Result, error, ok, warning

#: The oldest release with every command that the scripts use.
OLDEST = (6, 2)
#: Share of maxmemory beyond which the server is nearly full.
FULL = 0.8
#: Seconds that the recorder may be behind.
LAG_SECONDS = 60.0


def check_redis() -> Iterator[Result]:
    """Reachable, new enough, keeps what it is given, and the fleet that it holds is alive."""
    try:
        broker = FairBroker(middleware=[])
        with reachable(broker.client):
            begun = time.perf_counter()
            broker.client.ping()
            took_ms = (time.perf_counter() - begun) * 1000
            info: dict[str, Any] = broker.client.info()
    except ConfigurationError as wrong:
        yield error("Redis", str(wrong), "nothing works without it")
        return
    except (ConnectionClosed, redis.RedisError) as away:
        yield error("Redis", str(away), "start it, or mend REDIS_URL")
        return
    yield _version(info, f"at {describe(broker.client)}, answers in {took_ms:.1f} ms")
    yield _role(info)
    yield from _memory(info)
    yield _persistence(info)
    yield from _fleet(broker)
    broker.close()


def _version(info: dict[str, Any], where: str) -> Result:
    version = str(info.get("redis_version", "0"))
    name = f"Valkey {info['valkey_version']}" if "valkey_version" in info else f"Redis {version}"
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        return error("Redis", f"{name} {where}", "too old, install Redis 6.2 or newer, or Valkey")
    return ok("Redis", f"{name} {where}")


def _role(info: dict[str, Any]) -> Result:
    if info.get("role", "master") != "master":
        return error("Redis", "it is a read-only replica", "let REDIS_URL name the primary")
    return ok("Redis", f"it is a primary with {info.get('connected_slaves', 0)} replicas")


def _memory(info: dict[str, Any]) -> Iterator[Result]:
    policy, most, used = info.get("maxmemory_policy"), int(info.get("maxmemory", 0)), int(info.get("used_memory", 0))
    if policy != "noeviction":
        yield error("memory", f"maxmemory-policy is {policy}", "it throws jobs away, set it to noeviction")
    elif most and used > FULL * most:
        yield warning("memory", f"{used / most:.0%} of maxmemory is used", "sends will be refused, give it more")
    else:
        limit = f"of {most / 2**20:.0f} MiB" if most else "without a limit"
        yield ok("memory", f"noeviction, {used / 2**20:.0f} MiB used {limit}")


def _persistence(info: dict[str, Any]) -> Result:
    if not int(info.get("aof_enabled", 0)):
        return warning(
            "persistence",
            "the append-only file is off",
            "a restart loses jobs, set appendonly yes (appendfsync everysec)",
        )
    if info.get("aof_last_write_status", "ok") != "ok":
        return error("persistence", "the append-only file cannot be written", "look at the server's disk and log")
    return ok("persistence", "the append-only file is on")


def _fleet(broker: FairBroker) -> Iterator[Result]:
    with reachable(broker.client):
        workers: Any = broker.client.zcard(broker.keys.workers)
    yield ok("fleet", f"{workers} worker process{'' if workers == 1 else 'es'} in namespace {broker.keys.prefix}")
    events, seconds = broker.journal.lag()
    if events and seconds > LAG_SECONDS:
        yield warning(
            "journal", f"{events} events wait for the job log since {seconds:.0f} s", "run `jobfleet monitor`"
        )
    else:
        yield ok("journal", f"{events} events wait for the job log")
