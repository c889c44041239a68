"""What the tests of the stores of context put into them."""

import itertools
from dataclasses import fields, is_dataclass
from enum import EnumType
from typing import Any, get_args, get_origin, get_type_hints

from antiphon_server.context.model.messages import Content, Message, MessageId, MessageRole, Offset
from antiphon_server.context.model.resources import (
    Conversation,
    ConversationId,
    Member,
    ResourceId,
    Role,
    TurnPolicy,
    Workspace,
    WorkspaceId,
)
from antiphon_server.context.ports import Records
from antiphon_server.runtime.access.principal import UserId

ANN, BOB = UserId("user_ann00000"), UserId("user_bob00000")
LAB = Workspace(WorkspaceId("ws_00000001"), "Lab ✓", 1_000_001)
TALK = Conversation(
    ConversationId("conv_00000001"),
    LAB.workspace_id,
    "Talk",
    TurnPolicy.ROLLBACK,
    ("a/b", "c\nd"),
    "Be kind.",
    2_000_002,
    labels=(("a", "1\x00"), ("tier", "gold ✓")),
    language="pt-BR",
)
_NUMBERS = itertools.count(1_000_001)
OWNER = Member(ResourceId(TALK.conversation_id), ANN, Role.OWNER, 2_000_002)


def fill(records: Records) -> None:
    """A workspace of Bob's with a conversation of Ann's."""
    records.workspaces.add(LAB)
    records.members.add(Member(ResourceId(LAB.workspace_id), BOB, Role.ADMIN, 1), LAB.create_us)
    records.conversations.add(TALK)
    records.members.add(OWNER, TALK.create_us)


def said(number: int, turn_id: str = "", text: bytes = b"1234") -> Message:
    """The message at a place."""
    return Message(
        MessageId(f"msg_{number:08}"),
        TALK.conversation_id,
        Offset(number),
        MessageRole.ASSISTANT,
        "handlers/echo",
        turn_id,
        number % 2 == 0,
        number * 10,
        Content(text, len(text)),
    )


def sample(kind: Any) -> Any:
    """A value of one of the model's types, of which no two parts are equal, and none is empty."""
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(*(sample(hints[it.name]) for it in fields(kind)))  # type: ignore[operator]
    if isinstance(kind, EnumType):
        return list(kind)[-1]
    if get_origin(kind) is tuple:
        return tuple(map(sample, [get_args(kind)[0]] * 2))
    inner = get_args(kind)[:1] or (getattr(kind, "__supertype__", None),)
    if inner[0] is not None:  # what may be None, or has a name of its own
        return sample(inner[0])
    number = next(_NUMBERS)
    return f"text ✓ {number}" if kind is str else number
