"""The command that offboards a tenant."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ..middleware.database import database
from ..middleware.purged import Purged
from ..middleware.tenant_purge import TenantPurge
from .confirmation import DryRun, Yes, confirm
from .filters import AsJson
from .fleet_context import fleet_context
from .tables import note, print_json, say


def purge(
    tenant_id: Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's id.", show_default=False)],
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Offboard a tenant: cancel its jobs, discard its dead letters, delete its rows, its files and its plan.

    Stop what sends for it first; what it sends meanwhile waits and runs afterwards. The rows are those of the job log,
    dead letters, sent emails, effects, webhooks and their deliveries. Exit code 1 when something was left.

    \b
    Examples:
      jobfleet tenants purge 42 --dry-run
      jobfleet tenants purge 42 --yes
    """
    # Put off, since the actors bring much along that no other command needs.
    from ..actors.storage import storage

    with fleet_context() as fleet:
        purging = TenantPurge(fleet.broker, database(), storage().remove_all)
        found = purging.count(tenant_id)
        if not dry_run:
            if not yes:
                if sys.stdin.isatty():
                    _report(found)
                confirm(f"Delete all of this of tenant {found.tenant_id} for good?", "purged")
            found = purging.purge(tenant_id)
    if as_json:
        print_json(found)
    else:
        _report(found)
    if found.left:
        raise typer.Exit(1)


def _report(found: Purged) -> None:
    say(f"tenant {found.tenant_id} {'has' if found.dry_run else 'had, and has no more,'}")
    for name, count in found.counts.items():
        say(f"{count:>10,} {name.replace('_', ' ')}")
    for sentence in found.left:
        note(f"jobfleet: {sentence}")
