"""An application's own job: a month's interest, credited to each account of a tenant once, whatever goes wrong.

Run it from this folder; the first line starts servers of its own where none are configured:

    jobfleet up ledger                          # in one terminal: servers, workers, job log
    python ledger.py 42 2026-03 ada bo cyd      # in another: send the job
    jobfleet jobs follow --until-done ID        # watch it; ledger.csv has the entries

Kill workers while it runs (``kill -9``): the job runs again, and no account gets its interest twice.
"""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from pathlib import Path

from jobfleet.actors import actor
from jobfleet.middleware import generate_job_id, once_per_job, report_progress

#: Stands for the bank's interface; on the other side of the network, where nobody can look into a transaction.
LEDGER = Path(os.environ.get("LEDGER", "ledger.csv"))


@actor(queue_name="report")
def credit_interest(*, tenant_id: int, month: str, accounts: list[str]) -> dict[str, int]:
    """Credit a month's interest to each account.

    Each account is an effect of its own, so a run that comes later begins where the last one ended. A run that was
    killed right between a credit and its record leaves a doubt; money is better looked at by a person: ``"fail"``.
    """
    credited = 0
    for number, account in enumerate(accounts):
        report_progress(number / len(accounts), f"{number} of {len(accounts)} accounts")
        credited += once_per_job(f"credit:{account}", partial(credit, tenant_id, month, account), on_doubt="fail") or 0
    report_progress(1, f"all {len(accounts)} accounts")
    return {"accounts": len(accounts), "cents": credited}


def credit(tenant_id: int, month: str, account: str) -> int:
    """Write one entry and return its cents; takes its time, as banks do."""
    time.sleep(float(os.environ.get("BANK_SECONDS", "0.5")))
    cents = 100 * len(account)
    with LEDGER.open("a") as entries:
        entries.write(f"{tenant_id},{month},{account},{cents}\n")
    return cents


def main() -> None:
    """Send the job for the tenant, month and accounts of the command line."""
    if len(sys.argv) < 4:
        sys.exit("usage: python ledger.py TENANT MONTH ACCOUNT...")
    tenant_id, month, accounts = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    # The month is credited once: the key says so, however often and from wherever this is sent.
    key = generate_job_id("interest", tenant_id, {"month": month})
    sent = credit_interest.with_options(idempotency_key=key).send(tenant_id=tenant_id, month=month, accounts=accounts)
    print(sent.message_id)


if __name__ == "__main__":
    main()
