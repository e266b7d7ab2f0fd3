"""A member of a group with completion callbacks, on the side of who sends it."""

from __future__ import annotations

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
