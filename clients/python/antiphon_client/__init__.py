"""A client for Antiphon: calls with typed errors, and streams that outlive connections."""

from antiphon_client.address import DEFAULT_ADDRESS
from antiphon_client.client import Client
from antiphon_client.converse import LiveConversation
from antiphon_client.credentials import ApiKey, Credentials, Password, Tokens
from antiphon_client.errors import (
    AntiphonError,
    GapError,
    HistoryLost,
    NotFound,
    PermissionDenied,
    Unauthenticated,
    Unavailable,
    Untrusted,
)
from antiphon_client.follow import Batch, Follow, restart_at_earliest
from antiphon_client.ids import new_request_id, new_turn_id
from antiphon_client.redial import Connection
from antiphon_client.relay import LiveRelay
from antiphon_client.text import text_of
from antiphon_client.tls import Tls
from antiphon_client.token_store import FileTokenStore, MemoryTokenStore, TokenStore
from antiphon_client.trees import ChildStatus
from antiphon_client.turn import (
    CallStatus,
    HandoffStatus,
    QuestionStatus,
    TurnHandle,
    TurnResult,
    TurnStatus,
)

__all__ = [
    "Client",
    "DEFAULT_ADDRESS",
    "Connection",
    # Credentials
    "ApiKey",
    "Password",
    "Tokens",
    "Credentials",
    "Tls",
    "TokenStore",
    "MemoryTokenStore",
    "FileTokenStore",
    # Streams
    "LiveConversation",
    "LiveRelay",
    "TurnHandle",
    "TurnResult",
    "TurnStatus",
    "CallStatus",
    "ChildStatus",
    "HandoffStatus",
    "QuestionStatus",
    "Follow",
    "Batch",
    "restart_at_earliest",
    "new_turn_id",
    "new_request_id",
    "text_of",
    # Errors
    "AntiphonError",
    "NotFound",
    "Unauthenticated",
    "PermissionDenied",
    "Unavailable",
    "Untrusted",
    "HistoryLost",
    "GapError",
]
