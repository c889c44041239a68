"""Erasures that take a while: all of a conversation, of a workspace, or of a person."""

from dataclasses import dataclass

from antiphon_server.runtime.access.principal import SessionId

CONVERSATION, WORKSPACE, PERSON = "conversations/", "workspaces/", "users/"


@dataclass(frozen=True, slots=True)
class ErasureTask:
    """All that was said in a conversation or a workspace, or by a person, is to be erased.

    ``resource`` is `conversations/conv_…`, `workspaces/ws_…` or `users/user_…`; of the first two it
    stays once it is done, since nobody writes there any more. Times are microseconds since 1970.
    ``done_us`` is 0 until then; ``waiting_turn_id`` is a turn that has to end before it goes on;
    ``left_conversations`` are those of a workspace that aren't done.
    """

    resource: str
    create_us: int
    done_us: int = 0
    erased_messages: int = 0
    waiting_turn_id: str = ""
    left_conversations: int = 0


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
