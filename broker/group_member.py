"""The members of groups with completion callbacks, on the side of who sends them."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from dramatiq.message import Message


class GroupMember(NamedTuple):
    """What a message says of the group that it counts for."""

    group: str
    #: The message that counts: the last stage of a pipeline.
    message_id: str
    callbacks: list[dict[str, Any]]


def member_of(message: Message[Any]) -> GroupMember | None:
    """The member that a message, or the pipeline that begins with it, is of a group; None where there is no group."""
    options, message_id = message.options, message.message_id
    while stage := options.get("pipe_target"):
        options, message_id = stage["options"], stage["message_id"]
    group = options.get("group_completion_uuid")
    return GroupMember(group, message_id, options["group_completion_callbacks"]) if group else None


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
