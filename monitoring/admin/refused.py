"""An answer other than yes."""

from __future__ import annotations


class Refused(Exception):
    """Ends a request.

    Parameters:
      status: of the HTTP answer.
      sentence: what is wrong and what is allowed.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
