"""Runs a state machine for the tests of the models."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from lossy_proxy import LossyProxy


def run_model(
    machine: type[RuleBasedStateMachine], redis_url: str, proxy: LossyProxy | None, *, examples: int, steps: int = 40
) -> Counter[str]:
    """Run a machine; a failure prints its steps, and a blob that plays them again.

    Returns:
      What the machine has counted in its ``done``.
    """
    done: Counter[str] = Counter()
    names: dict[str, Any] = {"done": done, "redis_url": redis_url, "proxy": proxy}
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=False,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(type(f"This{machine.__name__}", (machine,), names), settings=chosen)
    print(dict(done))
    return done
