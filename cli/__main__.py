"""``python -m jobfleet.cli``: the command ``jobfleet``, for processes that start it with their own Python."""

from __future__ import annotations

from .main import main

if __name__ == "__main__":
    main()
