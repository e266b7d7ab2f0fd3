"""Named SQL: a module's statements live in the ``.sql`` file beside it, never in its functions."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path

#: A block begins with this line; the comment lines under it say what the statement does.
HEADING = re.compile(r"^-- name: *(\w+) *$", re.MULTILINE)


class Queries:
    """The named statements of one ``.sql`` file, read at first use.

    >>> QUERIES = Queries(__file__)          # job_archive.py reads job_archive.sql
    >>> connection.execute(QUERIES["find_job"], {"job_id": job_id})

    Parameters:
      module: the ``__file__`` of the module that uses them.
    """

    def __init__(self, module: str) -> None:
        self.path = Path(module).with_suffix(".sql")

    def __getitem__(self, name: str) -> bytes:
        """The text of one statement, as the bytes that psycopg takes for a trusted query.

        Raises:
          KeyError: the file has no such block.
        """
        return self._statements[name]

    @cached_property
    def _statements(self) -> dict[str, bytes]:
        _, *parts = HEADING.split(self.path.read_text(encoding="utf-8"))
        return {name: text.strip().encode() for name, text in zip(parts[::2], parts[1::2], strict=True)}
