"""What the names of queues, actors and jobs, and idempotency keys, may be: one rule for all who take one."""

from __future__ import annotations

from .errors import InvalidPayload
from .shown import shown

#: Characters that a name may have.
NAME_MAX = 255


def check_name(field: str, name: object) -> None:
    """See that a name can be part of a key and of a counter in Redis, a value in PostgreSQL and a word in a line.

    Parameters:
      field: whose name it is, for the error.
      name: what was given.

    Raises:
      InvalidPayload: it is no text of 1 to NAME_MAX printable characters; line breaks, tabs and half characters
        (lone surrogates) are none.
    """
    if not isinstance(name, str) or not 0 < len(name) <= NAME_MAX or not name.isprintable():
        raise InvalidPayload(
            f"{field} is {shown(name)}; it must be text of 1 to {NAME_MAX} printable characters", field=field
        )


def check_queue_name(field: str, name: object) -> None:
    """See that a name can be a queue's: also without spaces, since a worker names all its queues in one line.

    Raises:
      InvalidPayload: as ``check_name``, or it has a space in it.
    """
    check_name(field, name)
    if " " in str(name):
        raise InvalidPayload(f"{field} is {shown(name)}; it must have no spaces", field=field)
