"""What is said of positions that are gone."""

from antiphon_server.events.model import Cursor, Head, Offset, Scope
from antiphon_server.runtime.errors import DomainError, Reason


def history_lost(reason: Reason, scope: Scope, head: Head) -> DomainError:
    """What a client is told whose position is gone: where it can begin again."""
    earliest = Cursor(head.epoch, Offset(head.earliest - 1)).encode(scope)
    return DomainError(reason, scope=scope, earliest_offset=head.earliest, earliest_cursor=earliest)


def history_was_lost(error: DomainError) -> bool:
    """Whether it says that a position is gone."""
    return error.reason in (Reason.CURSOR_TRIMMED, Reason.EPOCH_CHANGED)
