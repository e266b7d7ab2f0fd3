"""What surrounds the demo in its own process: the settings that it and its children see, and where its log goes."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ..broker.settings import Settings, settings
from ..middleware.database import database


@contextmanager
def demo_environment(chosen: Mapping[str, str]) -> Iterator[None]:
    """Give this process and its children these settings and no others."""
    known = {str(field.validation_alias or name).upper() for name, field in Settings.model_fields.items()}
    replaced = [name for name in os.environ if name.upper() in known or name in chosen]
    before = {name: os.environ.pop(name) for name in replaced}
    os.environ.update(chosen)
    settings.cache_clear()
    database.cache_clear()
    try:
        yield
    finally:
        for name in chosen:
            os.environ.pop(name, None)
        os.environ.update(before)
        settings.cache_clear()
        database.cache_clear()


@contextmanager
def logged_to(file: Path) -> Iterator[None]:
    """Write this process's log to a file: the screen is for the story."""
    handler = logging.FileHandler(file)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()
