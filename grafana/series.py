"""A metric as PromQL asks for it."""

from __future__ import annotations

from dataclasses import dataclass

#: What all names begin with.
PREFIX = "jobfleet_"
#: What every scrape has that has anything of the fleet.
SCRAPED = PREFIX + 'journal_lag_entries{namespace=~"$namespace"}'


@dataclass(frozen=True)
class Series:
    """A metric of the fleet, asked for so that any number of monitors gives the same answer.

    The counters are in Redis, so every monitor exports the same ones: the largest of them is taken before anything is
    summed. ``namespace`` is a label only where the scrape sets it; asked for by ``.*`` it may be absent.

    Parameters:
      name: without the prefix, as it is exported (a counter with ``_total``).
      labels: all that it has.
    """

    name: str
    labels: tuple[str, ...] = ()

    def now(self, *by: str, how: str = "sum", **where: str) -> str:
        """Its value: `how` (``sum``, ``max``, ``min``) over all labels but `by`."""
        selected = self.selected("", **where)
        return _grouped(how, by, self._seen_once(selected) if how == "sum" else selected)

    def rate(self, *by: str, window: str = "$__rate_interval", **where: str) -> str:
        """Growth per second."""
        return _grouped("sum", by, self._seen_once(f"rate({self.selected('', **where)}[{window}])"))

    def growth(self, *by: str, window: str = "$__range", **where: str) -> str:
        """What was counted within the window, by default the chosen time.

        Exact, where ``increase()`` guesses what happened between the window's ends and the samples next to them. After
        a reset (Redis was emptied, or a replica took over that was a little behind) it counts from the lowest point.
        A series that came later than the fleet (of an actor that no worker had served) has counted from 0.
        """
        chosen, seen = f"{self.selected('', **where)}[{window}]", f"{SCRAPED}[{window}]"
        last = self._seen_once(f"last_over_time({chosen})")
        first = self._seen_once(f"min_over_time({chosen})", how="min")
        samples, scrapes = (
            self._seen_once(f"count_over_time({chosen})"),
            f"max by (namespace) (count_over_time({seen}))",
        )
        came_later = f"{samples} < on (namespace) group_left () {scrapes}"
        return _grouped("sum", by, f"{last} - ({first} unless {came_later}) or {last}")

    def quantile(self, share: float, *by: str, window: str = "$__rate_interval", **where: str) -> str:
        """The value that `share` of a histogram's observations stayed within; nothing where there were none."""
        buckets = f"rate({self.selected('_bucket', **where)}[{window}])"
        return f"histogram_quantile({share:g}, {_grouped('sum', (*by, 'le'), self._seen_once(buckets, 'le'))}) >= 0"

    def mean(self, *by: str, window: str = "$__rate_interval", **where: str) -> str:
        """The mean of a histogram's observations; nothing where there were none."""
        total, number = (
            _grouped("sum", by, self._seen_once(f"rate({self.selected(part, **where)}[{window}])"))
            for part in ("_sum", "_count")
        )
        return f"{total} / ({number} > 0)"

    def selected(self, suffix: str = "", **where: str) -> str:
        """The series that the dashboard's variables and `where` choose; a value with ``|`` or ``$`` is a pattern."""
        chosen = {"namespace": "$namespace", **({"queue": "$queue"} if "queue" in self.labels else {}), **where}
        matchers = (f'{label}{"=~" if set("|$") & set(value) else "="}"{value}"' for label, value in chosen.items())
        return f"{PREFIX}{self.name}{suffix}{{{', '.join(matchers)}}}"

    def _seen_once(self, asked: str, *more: str, how: str = "max") -> str:
        return f"{how} by ({', '.join(('namespace', *self.labels, *more))}) ({asked})"


def _grouped(how: str, by: tuple[str, ...], asked: str) -> str:
    return f"{how} by ({', '.join(by)}) ({asked})" if by else f"{how}({asked})"
