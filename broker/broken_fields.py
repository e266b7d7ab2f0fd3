"""What hands have written into the hashes that all scripts read: whoever meets it fails, whatever he came for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .audit_walk import AuditWalk
from .commands import Commands
from .keys import Keys
from .scripts import unpack
from .shown import shown
from .slices import slices

#: Fields that one command reads.
SLICE = 500

_WHOLE = re.compile(rb"-?\d{1,16}(\.0+)?")
_NUMBER = re.compile(rb"-?\d+(\.\d+)?(e[+-]?\d+)?")
_PLACE = re.compile(rb"-inf|\(?" + _NUMBER.pattern)

#: Fields of the fleet's state (see ``lua/fleet.lua``) whose numbers have bounds of their own; places in a line
#: have room for 2^48 arrivals.
_BOUNDS = {b"lease": range(1, 10**12), b"recorder": range(1, 2), b"sequence": range(2**48)}
_STATE = frozenset((*_BOUNDS, b"last", b"behind", b"grace", b"events", b"full", b"unrecorded", b"ended", b"limits"))

#: What comes before the name of a worker or a group -> the fields of it that are whole numbers.
_NUMBERS: dict[str, tuple[bytes, ...]] = {"worker": (b"fetch", b"threads"), "group": (b"size", b"repeats")}


@dataclass(frozen=True)
class BrokenField:
    """One field that no script can read.

    Parameters:
      hash: the key behind the namespace and its colon.
      field, value: as they are stored.
    """

    hash: str
    field: bytes
    value: bytes

    @property
    def name(self) -> str:
        """The hash and the field, for people."""
        return f"{self.hash} {self.field.decode(errors='backslashreplace')}"

    @property
    def text(self) -> str:
        """What is wrong with it."""
        return f"is {shown(self.value)}, which nobody can read"

    @property
    def repaired(self) -> str:
        """What was done about it."""
        if self.hash.startswith("group:"):
            return "could not be read: nobody knows when the group is complete, its callbacks are not sent"
        return "could not be read: it is gone"


def broken_fields(client: Commands, keys: Keys, walk: AuditWalk) -> Iterator[BrokenField]:
    """Fields of the fleet's state, of limits, of the fair order, of workers and of groups that cannot be read.

    They are never written half, so whatever is seen at any moment is as it should be, or broken.
    """
    rules: dict[str, Callable[[bytes, bytes], bool]] = {
        "fleet": _is_state,
        "plans": _are_limits,
        "tenants": _are_limits,
        "vtime": _is_number,
        "means": _is_number,
        "resuming": _is_place,
    }
    for name, is_right in rules.items():
        for field, value in client.hscan_iter(f"{keys.prefix}:{name}", count=SLICE):
            if not is_right(field, value):
                yield BrokenField(name, field, value)
    for kind, fields in _NUMBERS.items():
        for batch in slices((f"{kind}:{owner}" for owner in walk.named(kind)), SLICE):
            yield from _no_numbers(client, keys, batch, fields)


def _no_numbers(client: Commands, keys: Keys, names: list[str], fields: tuple[bytes, ...]) -> Iterator[BrokenField]:
    asked = client.pipeline(transaction=False)
    for name in names:
        asked.hmget(f"{keys.prefix}:{name}", fields)
    for name, values in zip(names, asked.execute(), strict=True):
        for field, value in zip(fields, values, strict=True):
            if value is not None and not _WHOLE.fullmatch(value):
                yield BrokenField(name, field, value)


def _is_state(field: bytes, value: bytes) -> bool:
    if field not in _STATE:
        return True
    return bool(_WHOLE.fullmatch(value)) and (field not in _BOUNDS or int(float(value)) in _BOUNDS[field])


def _are_limits(_: bytes, value: bytes) -> bool:
    """As ``Limits.row`` packs them; a weight divides."""
    try:
        plan, *numbers = unpack(value)
    except (ValueError, TypeError):
        return False
    whole = all(isinstance(number, int) and number >= 0 for number in numbers)
    return isinstance(plan, str) and len(numbers) == 5 and whole and numbers[2] > 0


def _is_number(_: bytes, value: bytes) -> bool:
    return bool(_NUMBER.fullmatch(value))


def _is_place(_: bytes, value: bytes) -> bool:
    return bool(_PLACE.fullmatch(value))
