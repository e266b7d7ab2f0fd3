"""Asking before what cannot be taken back."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ..broker.errors import ConfigurationError

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def confirm(question: str, undone: str) -> None:
    """Ask; no answer is a no.

    Parameters:
      undone: what has not happened, such as "discarded".

    Raises:
      ConfigurationError: nobody is there to be asked.
      typer.Abort: the answer is no.
    """
    if not sys.stdin.isatty():
        raise ConfigurationError(f"nothing was {undone}: confirm with --yes (there is no terminal to ask on)")
    typer.confirm(question, abort=True)
