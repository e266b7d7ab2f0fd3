"""A port for a server of our own."""

from __future__ import annotations

import socket


def free_port() -> int:
    """A port of the loopback address at which nobody listens at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
