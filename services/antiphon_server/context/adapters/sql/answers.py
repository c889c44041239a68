"""What answers to past requests say of a conversation or a workspace, taken out of them."""

from collections.abc import Callable, Iterable

from sqlalchemy import Connection, bindparam, select, text, update

from antiphon.context.v1.conversation_pb2 import Conversation, Workspace
from antiphon_server.context.adapters.tables import OF_A_CONVERSATION, requests
from antiphon_server.context.model.resources import ConversationId, WorkspaceId

_UNKNOWN = ""
# Of which one those of a server of the version before tell is not known: there are some for a day.
_OF_CONVERSATION = select(requests.c.actor, requests.c.request_id, requests.c.answer).where(
    text(OF_A_CONVERSATION),
    requests.c.conversation_id.in_([bindparam("conversation"), _UNKNOWN]),
)
# There are few, and for a day: none is found by its workspace.
_OF_WORKSPACES = select(requests.c.actor, requests.c.request_id, requests.c.answer).where(
    requests.c.kind == "workspace"
)
_SET_ANSWER = (
    update(requests)
    .where(
        requests.c.actor == bindparam("b_actor"), requests.c.request_id == bindparam("b_request")
    )
    .values(answer=bindparam("b_answer"))
)


def strip_names_of(connection: Connection, workspace_id: WorkspaceId) -> None:
    """Clear the name in those answers that tell of the workspace."""
    changed = list[dict[str, object]]()
    for actor, request_id, answer in connection.execute(_OF_WORKSPACES):
        said = Workspace.FromString(bytes(answer))
        if said.workspace_id == workspace_id:
            said.ClearField("display_name")
            left = {"b_actor": actor, "b_request": request_id}
            changed.append({**left, "b_answer": said.SerializeToString()})
    if changed:
        connection.execute(_SET_ANSWER, changed)


def strip_answers_of(
    connection: Connection,
    conversation_id: ConversationId,
    names: Iterable[str],
    those: Callable[[Conversation], bool] = lambda _: True,
) -> None:
    """Clear the fields ``names`` in those answers that tell of the conversation."""
    rows = connection.execute(_OF_CONVERSATION, {"conversation": conversation_id})
    changed = list[dict[str, object]]()
    for actor, request_id, answer in rows:
        said = Conversation.FromString(bytes(answer))
        if said.conversation_id == conversation_id and those(said):
            for name in names:
                said.ClearField(name)  # type: ignore[arg-type]
            left = {"b_actor": actor, "b_request": request_id}
            changed.append({**left, "b_answer": said.SerializeToString()})
    if changed:
        connection.execute(_SET_ANSWER, changed)
