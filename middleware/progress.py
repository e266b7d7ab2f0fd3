"""How far a running job is, said by the job itself."""

from __future__ import annotations

from ..broker import progress
from ..broker.errors import InvalidPayload
from ..broker.lease import current_lease

#: Characters of a note.
NOTE_MAX = 255


def report_progress(fraction: float, note: str = "") -> None:
    """Say how far the running job is; shown by ``jobfleet jobs show`` and ``follow``, ``broker.get`` and the job log.

    >>> for done, row in enumerate(rows):
    ...     report_progress(done / len(rows), f"{done} of {len(rows)} rows")

    Call it as often as you like: it costs about a microsecond and waits for no server. The newest report of a run is
    told to the journal, at most twice a second and once more when the run ends. Each run begins anew.

    Works in plain and async actors. Outside of a run (a function called in a unit test, say) it checks its arguments
    and does nothing; so it does in a thread that the actor starts itself, unless that thread runs in a copy of the
    actor's context (``contextvars.copy_context().run``). A run whose job was given to another worker changes nothing.

    Parameters:
      fraction: from 0 to 1.
      note: at most 255 characters for people to read.

    Raises:
      InvalidPayload: one of them is something else; ``.field`` is its name.
    """
    # A bool is a number to Python, and a finished job to nobody.
    if not isinstance(fraction, int | float) or isinstance(fraction, bool) or not 0 <= fraction <= 1:
        raise InvalidPayload(
            f"report_progress: fraction is {_shown(fraction)}; allowed is a number from 0 to 1", field="fraction"
        )
    if not isinstance(note, str) or len(note) > NOTE_MAX:
        shown = f"of {len(note)} characters" if isinstance(note, str) else f"of the type {type(note).__name__}"
        raise InvalidPayload(
            f"report_progress: note is {shown}; allowed is text of at most {NOTE_MAX} characters", field="note"
        )
    lease = current_lease()
    if lease is not None:
        # Half of a surrogate pair is no text, and would be met only on its way to the server.
        progress.report(lease, float(fraction), note if note.isascii() else note.encode("utf-8", "replace").decode())


def _shown(fraction: object) -> str:
    """A wrong fraction in a few words, as a number may have more digits than Python prints."""
    if isinstance(fraction, int | float) and not isinstance(fraction, bool):
        return "below 0" if fraction < 0 else "above 1" if fraction > 1 else "not a number"
    return f"of the type {type(fraction).__name__}"
