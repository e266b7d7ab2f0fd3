"""The rows that make an email go out once."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from ..middleware.database import Database
from ..middleware.effects import Effect
from ..middleware.queries import Queries

QUERIES = Queries(__file__)


@dataclass(frozen=True, kw_only=True)
class EmailRow:
    """What ``sent_emails`` says of a job's email."""

    job_id: str
    tenant_id: str
    recipient: str
    subject: str
    message_id: str


class SentEmails:
    """The ledger of one job's email, in ``sent_emails``.

    Every method raises ``Unavailable`` when the database is away.
    """

    def __init__(self, database: Database, row: EmailRow) -> None:
        self._database = database
        self._row = asdict(row)

    def intend(self) -> Effect:
        """Write the intention down, or learn how far an earlier run came."""
        with self._database.connection() as connection:
            if connection.execute(QUERIES["intend"], self._row).fetchone():
                return Effect.NEW
            row = connection.execute(QUERIES["doubt"], self._row).fetchone()
        return Effect.DONE if row and row["status"] == "sent" else Effect.IN_DOUBT

    def record(self) -> None:
        """Write down that the mail server took it."""
        with self._database.connection() as connection:
            connection.execute(QUERIES["record"], self._row)

    def withdraw(self) -> None:
        """Take the intention back."""
        with self._database.connection() as connection:
            connection.execute(QUERIES["withdraw"], self._row)
