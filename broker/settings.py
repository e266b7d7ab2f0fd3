"""Configuration: read once, here, from the environment and ``jobfleet.toml``.

1. ``settings()`` is called at first use, never at import.
2. The environment gives addresses and secrets; the file gives queues and limits.
3. Where no server is named, the servers of the fleet that runs under ``JOBFLEET_HOME`` are used,
   if there is one (``jobfleet up`` writes its addresses into ``fleet.json`` there).
4. Whatever is wrong is one ``ConfigurationError`` that names the setting and what it allows.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, IPvAnyNetwork, SecretStr, TypeAdapter, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from .errors import ConfigurationError, InvalidPayload
from .fleet_file import FleetFile
from .names import check_queue_name
from .plans import PLANS, Plan, merge_plans
from .queues import QUEUES, Queue


class Settings(BaseSettings):
    """Everything that can be set, with its default.

    A field's variable is its name in upper case, or the alias beside it; in the file it is the field's name.
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    redis_url: str | None = None
    database_url: str | None = None
    #: A connection that no pooler multiplexes, for LISTEN and advisory locks; the database_url if unset.
    database_direct_url: str | None = None
    smtp_url: str | None = None
    storage_url: str | None = None
    #: Folder with the application's own email templates, which are looked for before the shipped ones.
    email_templates: Path | None = None
    #: Networks that webhooks may reach although they are private.
    webhook_allow_networks: Annotated[tuple[IPvAnyNetwork, ...], NoDecode] = ()
    #: Where the embedded servers of ``jobfleet up`` keep their data.
    jobfleet_home: Path = Path(".jobfleet")
    jobfleet_config: Path = Path("jobfleet.toml")
    jobfleet_namespace: str = Field(default="fleet", pattern=r"^[A-Za-z0-9._-]{1,64}$")

    #: Milliseconds without a heartbeat after which a worker counts as lost.
    lease_ms: int = Field(default=15_000, ge=300, validation_alias="JOBFLEET_LEASE_MS")
    #: Events that may wait for the recorder before sends are refused.
    journal_max: int = Field(default=500_000, ge=1_000, validation_alias="JOBFLEET_JOURNAL_MAX")
    #: Dead letters that Redis keeps per queue once they are stored in PostgreSQL too.
    dead_letters_max: int = Field(default=5_000, ge=1, validation_alias="JOBFLEET_DEAD_LETTERS_MAX")
    #: Largest encoded message, in bytes.
    payload_max: int = Field(default=256 * 1024, ge=1_024, validation_alias="JOBFLEET_PAYLOAD_MAX")
    #: Where the monitor answers HTTP; the port's default is 9465, or any free one when that is taken. 0 is any.
    monitor_host: str = Field(default="127.0.0.1", min_length=1, validation_alias="JOBFLEET_MONITOR_HOST")
    monitor_port: int | None = Field(default=None, ge=0, le=65_535, validation_alias="JOBFLEET_MONITOR_PORT")
    #: Bearer tokens of the monitor's HTTP: who may change things, and who may look.
    jobfleet_admin_token: SecretStr | None = None
    jobfleet_viewer_token: SecretStr | None = None
    #: Alertmanager's token: lets it hand in what it tells, and nothing else. The admin's token does that too.
    jobfleet_alerts_token: SecretStr | None = None
    #: Whom the monitor tells of alerts: addresses as Apprise writes them, with their secrets.
    alert_urls: Annotated[tuple[SecretStr, ...], NoDecode] = Field(default=(), validation_alias="JOBFLEET_ALERT_URLS")
    #: Days for which PostgreSQL keeps who changed what over HTTP, and what Alertmanager told.
    admin_audit_days: int = Field(default=400, ge=1, le=36_500, validation_alias="JOBFLEET_ADMIN_AUDIT_DAYS")
    alert_days: int = Field(default=90, ge=1, le=36_500, validation_alias="JOBFLEET_ALERT_DAYS")
    #: How processes of the fleet log: JSON, readable text, or what suits who reads (text on a terminal, else JSON).
    log_format: Literal["auto", "json", "text"] = Field(default="auto", validation_alias="JOBFLEET_LOG_FORMAT")
    #: Whether the monitor logs each request that it answers.
    access_log: bool = Field(default=False, validation_alias="JOBFLEET_ACCESS_LOG")
    #: Whether a job that is sent outside of any trace begins one.
    start_traces: bool = Field(default=False, validation_alias="JOBFLEET_START_TRACES")
    queues: Mapping[str, Queue] = Field(default_factory=lambda: QUEUES, validation_alias="JOBFLEET_QUEUES")
    #: What PostgreSQL's table ``plans`` gets where it has no row of that name.
    plans: Mapping[str, Plan] = Field(default_factory=lambda: PLANS, validation_alias="JOBFLEET_PLANS")

    @field_validator("webhook_allow_networks", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return [part for part in value.replace(",", " ").split() if part] if isinstance(value, str) else value

    @field_validator("alert_urls", mode="before")
    @classmethod
    def _split_at_spaces(cls, value: Any) -> Any:
        # Only there: such an address may have commas of its own.
        return value.split() if isinstance(value, str) else value

    def queue(self, name: str) -> Queue:
        """The row of a queue; a queue that is not in the table gets the defaults."""
        return self.queues.get(name) or Queue(name=name)


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read at the first call.

    Raises:
      ConfigurationError: a variable or the file is wrong.
    """
    try:
        first = Settings()
        values = _read_file(first.jobfleet_config)
        if "queues" in values:
            values["queues"] = _merge_queues(values["queues"])
        if "plans" in values:
            values["plans"] = merge_plans(values["plans"])
        addresses = FleetFile(first.jobfleet_home).read()
        return Settings(**{**addresses, **values, **_given(first)})
    except ValidationError as error:
        raise ConfigurationError(_explain(error)) from None


def _given(chosen: Settings) -> dict[str, Any]:
    return {name: getattr(chosen, name) for name in chosen.model_fields_set}


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from None


def _merge_queues(rows: Any) -> dict[str, Queue]:
    """The table of ``queues`` with the rows of the file's ``[queues.NAME]`` laid over it."""
    if not isinstance(rows, dict):
        raise ConfigurationError("queues in the configuration file must be tables, such as [queues.email]")
    queues = dict(QUEUES)
    for name, row in rows.items():
        known = set(Queue.__dataclass_fields__) - {"name"}
        if not isinstance(row, dict) or (unknown := set(row) - known):
            wrong = ", ".join(sorted(unknown)) if isinstance(row, dict) else str(row)
            raise ConfigurationError(f"[queues.{name}] has {wrong}; allowed are {', '.join(sorted(known))}")
        try:
            check_queue_name("the name of a queue", name)
        except InvalidPayload as error:
            raise ConfigurationError(f"[queues] of the configuration file: {error}") from None
        merged = replace(queues.get(name) or Queue(name=name), **row)
        queues[name] = TypeAdapter(Queue).validate_python(merged.__dict__)
    return queues


def _explain(error: ValidationError) -> str:
    parts = []
    for problem in error.errors():
        name = ".".join(str(part) for part in problem["loc"]) or "configuration"
        shown = "not shown" if _is_secret(problem["loc"]) else json.dumps(problem["input"], default=str)
        parts.append(f"{name.upper()} is {shown}: {problem['msg']}")
    return "; ".join(parts)


def _is_secret(place: tuple[int | str, ...]) -> bool:
    """Whether what is at this place must not be shown."""
    named = (
        field
        for name, field in Settings.model_fields.items()
        if place and place[0] in (name, str(field.validation_alias or name))
    )
    return any("SecretStr" in str(field.annotation) for field in named)
