"""Erasures that take a while: all of a conversation, of a workspace, or of a person."""

from dataclasses import dataclass

from antiphon_server.context.model.messages import MessageId, Offset
from antiphon_server.context.model.resources import ConversationId
from antiphon_server.runtime.access.principal import SessionId

CONVERSATION, WORKSPACE, PERSON = "conversations/", "workspaces/", "users/"


@dataclass(frozen=True, slots=True)
class ErasureTask:
    """All that was said in a conversation or a workspace, or by a person, is to be erased.

    ``resource`` is `conversations/conv_…`, `workspaces/ws_…` or `users/user_…`; of the first two it
    stays once it is done, since nobody writes there any more. Times are microseconds since 1970.
    ``done_us`` is 0 until then; ``waiting_turn_id`` is a turn that has to end before it is done;
    ``left_conversations`` are those of a workspace that aren't done. Once ``caught_up``, what a
    person had said when it was begun stands in tables: no log has to be read to find it.
    """

    resource: str
    create_us: int
    done_us: int = 0
    erased_messages: int = 0
    waiting_turn_id: str = ""
    left_conversations: int = 0
    caught_up: bool = False


@dataclass(frozen=True, slots=True)
class Unerased:
    """A message that is to be erased: where it stands, and of which turn it is (empty: of none)."""

    conversation_id: ConversationId
    offset: Offset
    message_id: MessageId
    turn_id: str = ""


@dataclass(frozen=True, slots=True)
class ErasureBegun:
    """That somebody has begun one, for those who keep account of it.

    ``entry_id`` makes telling it idempotent; ``actor``, ``session_id`` and ``address`` are the
    caller's.
    """

    entry_id: str
    actor: str
    session_id: SessionId
    address: str
    resource: str
