"""From what ``lua/why.lua`` has read to reasons in words; the first one is what stands in the way first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from .reason import Reason

#: What the script has read, by name.
Facts = Mapping[str, Any]

#: Where a job stands -> the state that this is.
STATES = MappingProxyType(
    {
        "line": "pending",
        "suspect": "pending",
        "halted": "pending",
        "held": "scheduled",
        "scheduled": "scheduled",
        "active": "active",
        "dead": "failed",
        "nowhere": "nowhere",
    }
)


def reasons_of(facts: Facts, queue_rate: int) -> tuple[Reason, ...]:
    """All that is to be said.

    Parameters:
      queue_rate: jobs of the queue that may start in a second over the whole fleet, 0 for any number.
    """
    return tuple(_PLACES[facts["place"]](facts, queue_rate))


def _line(facts: Facts, queue_rate: int) -> Iterator[Reason]:
    yield from _stops(facts)
    yield from _tenant(facts)
    yield from _queue_rate(facts, queue_rate)
    yield Reason(kind="turn", text=_turn(facts), since_ms=int(facts["since"]))


def _turn(facts: Facts) -> str:
    ahead, turns = facts["ahead"], facts.get("turns")
    own = f"{_jobs(ahead)} of its tenant {_are(ahead)} ahead of it" if ahead else "it is the next of its tenant"
    if turns is None:
        return f"{own}, whose turn comes when it may run more"
    if not turns:
        return f"{own}, whose turn is next"
    return f"{own}, and {turns} other tenant{'s have' if turns > 1 else ' has'} a turn before"


def _suspect(facts: Facts, queue_rate: int) -> Iterator[Reason]:
    yield from _stops(facts)
    yield from _tenant(facts)
    text = f"it has lost its worker {facts['losses']} times, so it runs alone in a process that does nothing else"
    if facts["claimed"]:
        text += f"; {facts['claimed']} empties itself for one such job"
    if facts["ahead"]:
        text += f"; {_jobs(facts['ahead'])} {_are(facts['ahead'])} before it"
    yield Reason(kind="suspect", text=text, since_ms=int(facts["since"]))


def _halted(facts: Facts, queue_rate: int) -> Iterator[Reason]:
    yield from _stops(facts)
    if not facts["actor_paused"]:
        yield Reason(
            kind="actor_resumed", text=f"the actor {facts['actor']} was resumed, and it goes back into its line"
        )


def _held(facts: Facts, queue_rate: int) -> Iterator[Reason]:
    rate, ahead = facts.get("rate"), facts["ahead"]
    until = int(facts["admitted"])
    limit = f"the rate of its tenant {facts['tenant']}"
    if rate:
        limit += f" is {rate} jobs in 60 s (plan {facts['plan']})"
    text = f"{limit}: it is held with {_jobs(ahead)} ahead of it" if ahead else f"{limit}: it is held, and the next"
    yield Reason(kind="tenant_rate", text=text, until_ms=until)
    if (facts.get("due") or 0) > until:
        yield Reason(kind="delayed", text="it was sent with a delay", until_ms=int(facts["due"]))
    yield from _stops(facts)


def _scheduled(facts: Facts, queue_rate: int) -> Iterator[Reason]:
    due, attempts = int(facts["due"]), facts["attempts"]
    if facts["postponed"]:
        yield Reason(kind="postponed", text="its run was postponed: something it needs was away", until_ms=due)
    elif attempts:
        yield Reason(kind="backing_off", text=f"attempt {attempts} has failed, and it backs off", until_ms=due)
    else:
        yield Reason(kind="delayed", text="it was sent with a delay", until_ms=due)
    yield from _stops(facts)


def _active(facts: Facts, queue_rate: int) -> Iterator[Reason]:
    text = f"it runs on {facts.get('worker', 'a worker')}, attempt {facts['attempts'] + 1}"
    if facts.get("fraction") is not None:
        text += f", {facts['fraction']:.0%} done {facts.get('note') or ''}".rstrip()
    yield Reason(kind="running", text=text, since_ms=int(facts["fetched"]))
    if facts["cancelled"]:
        yield Reason(kind="cancelling", text="it was cancelled: its worker is told by its next heartbeat")
    if facts.get("lease_ends", facts["now"]) < facts["now"]:
        yield Reason(kind="worker_late", text="its worker has missed its lease: the job is about to be taken back")


def _dead(facts: Facts, queue_rate: int) -> Iterator[Reason]:
    text = f"it is dead ({facts.get('reason', 'nothing says why')})"
    if facts.get("error"):
        text += f": {facts['error']}"
    yield Reason(kind="dead", text=text, since_ms=int(facts["died"]))


def _nowhere(facts: Facts, queue_rate: int) -> Iterator[Reason]:
    yield Reason(kind="lost", text="it stands nowhere, which must not be: run `jobfleet audit`")


#: Where a job stands -> what is to be said of it.
_PLACES: Mapping[str, Callable[[Facts, int], Iterator[Reason]]] = MappingProxyType(
    {
        "line": _line,
        "suspect": _suspect,
        "halted": _halted,
        "held": _held,
        "scheduled": _scheduled,
        "active": _active,
        "dead": _dead,
        "nowhere": _nowhere,
    }
)


def _stops(facts: Facts) -> Iterator[Reason]:
    """What people must do something about."""
    if facts["queue_paused"]:
        yield Reason(kind="queue_paused", text=f"the queue {facts['queue']} is paused")
    if facts["actor_paused"]:
        yield Reason(kind="actor_paused", text=f"the actor {facts['actor']} is paused")
    if facts.get("tenant_paused"):
        yield Reason(kind="tenant_paused", text=f"its tenant {facts['tenant']} is paused")
    if not facts["workers"]:
        yield Reason(kind="no_worker", text=f"no worker serves the queue {facts['queue']}")


def _tenant(facts: Facts) -> Iterator[Reason]:
    if "concurrency" in facts and facts["running"] >= facts["concurrency"]:
        text = f"its tenant {facts['tenant']} runs {facts['running']} of at most {_jobs(facts['concurrency'])} at once"
        yield Reason(kind="tenant_concurrency", text=f"{text} (plan {facts['plan']})")


def _queue_rate(facts: Facts, rate: int) -> Iterator[Reason]:
    if rate and facts["starts"] >= rate:
        text = f"the queue {facts['queue']} starts {rate} jobs in a second at most, and has"
        yield Reason(kind="queue_rate", text=text, until_ms=int(facts["oldest_start"]) + 1001)


def _jobs(count: int) -> str:
    return f"{count} job" if count == 1 else f"{count} jobs"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
