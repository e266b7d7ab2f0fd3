"""Policy that every job shares: retries, time limits, payload checks, the job log, effects; the database pool."""
