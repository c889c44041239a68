"""What answers to past requests say of a conversation, taken out of them."""

from collections.abc import Callable, Iterable

from sqlalchemy import Connection, bindparam, select, text, update

from antiphon.context.v1.conversation_pb2 import Conversation
from antiphon_server.context.adapters.tables import OF_A_CONVERSATION, requests
from antiphon_server.context.model.resources import ConversationId

_UNKNOWN = ""
# Of which one those of a server of the version before tell is not known: there are some for a day.
_OF_CONVERSATION = select(requests.c.actor, requests.c.request_id, requests.c.answer).where(
    text(OF_A_CONVERSATION),
    requests.c.conversation_id.in_([bindparam("conversation"), _UNKNOWN]),
)
_SET_ANSWER = (
    update(requests)
    .where(
        requests.c.actor == bindparam("b_actor"), requests.c.request_id == bindparam("b_request")
    )
    .values(answer=bindparam("b_answer"))
)


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
