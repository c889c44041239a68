"""What is to be erased, as it is kept until it is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from antiphon_server.context.model.messages import MessageId, Offset
from antiphon_server.context.model.resources import ConversationId
from antiphon_server.runtime.access.principal import SessionId


@dataclass(frozen=True, slots=True)
class Redacted:
    """What the log has erased: what it was told, and what turns of those turns have."""

    message_ids: Sequence[MessageId]
    turn_ids: Sequence[str]
    tool_call_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class Erasure:
    """What somebody has said is to be erased.

    ``messages`` are all, with their places, ``named`` those that were named; ``turn_ids`` are the
    turns of which all else goes, too. ``redacted`` is what the log has erased, once it has;
    ``forgotten`` says that no table has anything of it any more, and that files are to be cleaned.
    """

    erasure_id: str
    conversation_id: ConversationId
    actor: str
    messages: Mapping[MessageId, Offset]
    turn_ids: Sequence[str]
    create_us: int
    redacted: Redacted | None = None
    forgotten: bool = False


@dataclass(frozen=True, slots=True)
class MessagesErased:
    """That somebody has erased what messages said, for those who keep account of it.

    ``entry_id`` makes telling it idempotent; ``actor``, ``session_id`` and ``address`` are the
    caller's. With ``answers`` what was answered to them went, too.
    """

    entry_id: str
    actor: str
    session_id: SessionId
    address: str
    conversation_id: ConversationId
    message_ids: Sequence[MessageId]
    answers: bool
