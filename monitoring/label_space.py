"""Every set of labels that a metric can have, known before the first event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from ..broker.commands import Commands
from ..broker.keys import Keys
from ..broker.scripts import unpack
from ..broker.settings import settings
from .metric import Metric


@dataclass(frozen=True)
class LabelSpace:
    """What queues, actors and plans there are.

    Prometheus' ``increase()`` is blind to a series whose first value is not 0, so all of them begin at 0.
    """

    queues: tuple[str, ...]
    #: Queue and name of each actor that a worker of the fleet has known.
    actors: tuple[tuple[str, str], ...]
    plans: tuple[str, ...]

    @classmethod
    def read(cls, client: Commands, keys: Keys) -> LabelSpace:
        """The queues and plans of the settings and of the server, and the actors of its registry.

        Raises:
          redis.RedisError: the server is away.
        """
        asked = client.pipeline(transaction=False)
        asked.smembers(keys.queues)
        asked.hgetall(keys.actors)
        asked.hkeys(keys.plans)
        queues, actors, plans = asked.execute()
        return cls(
            _merged(settings().queues, queues),
            tuple(sorted((unpack(packed)["queue"], name.decode()) for name, packed in actors.items())),
            _merged(settings().plans, plans),
        )

    def sets(self, metric: Metric) -> Iterator[tuple[str, ...]]:
        """All values that the labels of a metric can have together."""
        parts: list[Sequence[tuple[str, ...]]] = []
        if "plan" in metric.labels:
            parts.append([(plan,) for plan in self.plans])
        if "actor" in metric.labels:
            parts.append(self.actors)
        elif "queue" in metric.labels:
            parts.append([(queue,) for queue in self.queues])
        if metric.values:
            parts.append([(value,) for value in metric.values])
        return (tuple(label for part in chosen for label in part) for chosen in product(*parts))


def _merged(configured: Iterable[str], known: Iterable[bytes]) -> tuple[str, ...]:
    names = list(configured)
    return (*names, *sorted({name.decode() for name in known} - set(names)))
