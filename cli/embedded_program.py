"""Programs that no wheel brings, found where the system keeps them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from ..broker.errors import ConfigurationError


def program(names: Sequence[str], package: str) -> str:
    """The path of a program.

    Parameters:
      names: what it may be called, in the order in which it is looked for.
      package: Debian's name of the package that has it.

    Raises:
      ConfigurationError: it is not on PATH; says what to install.
    """
    for name in names:
        if found := shutil.which(name):
            return str(Path(found).absolute())
    raise ConfigurationError(
        f"{' or '.join(names)} is not installed: apt-get install {package} (Debian, Ubuntu), "
        f"or put the one of prometheus.io/download on PATH"
    )
