"""``jobfleet check``: configuration and connections, with advice."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Annotated

import typer

from .check_outside import check_disk, check_mail, check_storage
from .check_postgres import check_postgres
from .check_redis import check_redis
from .check_result import Level, Result
from .check_settings import Setting, chosen_settings, unknown_settings
from .tables import Column, print_json, print_table, say

COLUMNS = (Column("setting"), Column("value", flexible=True), Column("from"))


def check(as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False) -> None:
    """Check configuration and connections, with advice.

    Shows each setting and where it came from, then one line per check: ok, warning (the fleet runs, but) or error.
    Changes nothing. Exit code 1 when there is an error.

    \b
    Examples:
      jobfleet check
      REDIS_URL=redis://cache.internal:6379/0 jobfleet check
    """
    chosen = chosen_settings()
    if as_json:
        results = list(_results())
        print_json({"settings": chosen, "checks": results})
    else:
        _print_settings(chosen)
        results = []
        for result in _results():
            say(str(result))
            results.append(result)
        say(_verdict(results))
    if any(result.level is Level.ERROR for result in results):
        raise typer.Exit(1)


def _results() -> Iterator[Result]:
    return chain(unknown_settings(), check_redis(), check_postgres(), check_mail(), check_storage(), check_disk())


def _print_settings(chosen: list[Setting]) -> None:
    print_table(COLUMNS, [(setting.name, setting.value, setting.source) for setting in chosen])
    say("")


def _verdict(results: list[Result]) -> str:
    counts = [sum(result.level is level for result in results) for level in (Level.ERROR, Level.WARNING)]
    if not any(counts):
        return "check: all is well"
    return "check: " + ", ".join(
        f"{n} {word}{'' if n == 1 else 's'}" for n, word in zip(counts, ("error", "warning"), strict=True)
    )
