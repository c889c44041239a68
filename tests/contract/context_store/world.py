"""What the tests of the stores of context put into them."""

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
)
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
