"""Which messages of a group are no jobs of their own."""

from __future__ import annotations

import threading


class MembersSent(threading.local):
    """The members of the group that this thread is sending; Dramatiq sends them one after the other."""

    def __init__(self) -> None:
        self.group = ""
        self.members: set[str] = set()
        self.fewer = 0

    def repeated(self, group: str, member: str) -> int:
        """Note a member.

        Returns:
          0 when it is new; else how many messages of the group are no jobs of their own, with this one: it was
          sent before, is one job and counts once.
        """
        if group != self.group:
            self.group, self.members, self.fewer = group, set(), 0
        if member not in self.members:
            self.members.add(member)
            return 0
        return self.is_no_job()

    def is_no_job(self) -> int:
        """The message that was sent last belongs to a job already; returns how many of the group do."""
        self.fewer += 1
        return self.fewer
