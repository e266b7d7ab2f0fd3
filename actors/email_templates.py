"""Emails from Jinja2 templates: ``NAME.txt`` and ``NAME.html``, of which one is enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound

from ..broker.errors import PermanentFailure

#: The templates that come with jobfleet; a folder of the application is looked into first.
SHIPPED = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class Content:
    """What an email says, as text, as HTML, or as both."""

    text: str | None
    html: str | None


class EmailTemplates:
    """Templates of a folder, and the shipped ones behind it.

    Values are escaped in HTML and left as they are in text; a value that is not there is an error, so that no
    customer reads "Dear ,".
    """

    def __init__(self, folder: Path | None) -> None:
        folders = [folder, SHIPPED] if folder else [SHIPPED]
        self._environment = Environment(
            loader=FileSystemLoader(folders),
            autoescape=lambda name: bool(name) and str(name).endswith(".html"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def render(self, name: str, values: Mapping[str, Any]) -> Content:
        """Both forms of a template.

        Raises:
          PermanentFailure: there is no such template, it is wrong, or a value is missing.
        """
        content = Content(text=self._form(f"{name}.txt", values), html=self._form(f"{name}.html", values))
        if content.text is None and content.html is None:
            raise PermanentFailure(f"there is no template {name}: neither {name}.txt nor {name}.html")
        return content

    def _form(self, file: str, values: Mapping[str, Any]) -> str | None:
        try:
            template = self._environment.get_template(file)
        except TemplateNotFound as error:
            if error.name == file:
                return None
            raise PermanentFailure(f"template {file} needs {error.name}, which is not there") from error
        except Exception as error:
            raise PermanentFailure(f"template {file} is wrong: {error}") from error
        try:
            return template.render(values)
        except Exception as error:
            # Whatever a template raises is in the template or its data; another attempt would raise it again.
            raise PermanentFailure(f"template {file} cannot be filled in: {error}") from error


@lru_cache(maxsize=8)
def email_templates(folder: Path | None) -> EmailTemplates:
    """The templates of a folder, compiled once per process."""
    return EmailTemplates(folder)
