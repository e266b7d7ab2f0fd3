"""A wrong value as an error quotes it."""

from __future__ import annotations

#: Characters of it that are quoted.
SHOWN_MAX = 80


def shown(value: object) -> str:
    """What a value looks like, cut; for one that cannot be shown, what it is.

    An error that quotes a value must not fail at it: whole numbers of more than 4,300 digits have no text in
    Python, and a stranger's ``__repr__`` may raise anything. In a hook such an error would be swallowed, and
    the job sent without what the option asked for.
    """
    try:
        text = repr(value[:SHOWN_MAX] if isinstance(value, str | bytes) else value)
    except Exception:  # noqa: BLE001 (whatever it is, the value is wrong)
        return f"a {type(value).__name__} that cannot be shown"
    return text if len(text) <= SHOWN_MAX + 2 else f"{text[:SHOWN_MAX]}..."
