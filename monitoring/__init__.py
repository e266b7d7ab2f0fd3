"""What watches the fleet: the recorder of the job log, the monitor process, counts of queues."""

from .queue_stats import get_queue_stats

__all__ = ["get_queue_stats"]
