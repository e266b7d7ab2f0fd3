"""jobfleet: fair, watched background jobs for multi-tenant applications, on Dramatiq."""

__version__ = "0.1.0"
