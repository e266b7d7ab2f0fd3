"""Monitors in processes of their own, and what they answer."""

from __future__ import annotations

import re
from collections.abc import Mapping

from http_client import Client
from processes import Process
from scraped import Scraped
from wait import present


def monitor(environment: Mapping[str, str]) -> Process:
    """Start a monitor at a free port."""
    return Process(["jobfleet", "monitor", "--port", "0"], environment)


def client_of(process: Process, token: str = "") -> Client:
    """A client of a monitor that has just been started."""
    process.says("/metrics", timeout=60)
    return Client(present(re.search(r"metrics at (\S+)/metrics", process.output)).group(1), token)


def page(client: Client) -> Scraped:
    """What the monitor exports now."""
    return Scraped(client.get("/metrics").content)
