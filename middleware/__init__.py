"""Policy that every job shares: retries, time limits, payload checks, the job log, effects; the database pool."""

from __future__ import annotations

from .job_key import generate_job_id
from .job_log import JobLog
from .logs import configure_logging
from .once_per_job import once_per_job, once_per_job_async, resolve_effect
from .pipelines import Pipelines
from .progress import report_progress
from .queue_time_limit import QueueTimeLimit
from .retries import Retries
from .tenant_purge import purge_tenant
from .tenants import pause_tenant, resume_tenant, set_plan
from .tracing import Tracing

__all__ = [
    "JobLog",
    "Pipelines",
    "QueueTimeLimit",
    "Retries",
    "Tracing",
    "configure_logging",
    "generate_job_id",
    "once_per_job",
    "once_per_job_async",
    "pause_tenant",
    "purge_tenant",
    "report_progress",
    "resolve_effect",
    "resume_tenant",
    "set_plan",
]
