"""What was restored is set back: offsets that were given out since will be given out again.

So its logs begin a new history, under an epoch of their own. A client that comes with a cursor of
before is told EPOCH_CHANGED, and begins again, in place of missing what has taken the old offsets'
places. Cursors that are stored beside the logs are of the same moment, so they move along.
"""

from collections.abc import Iterator

from antiphon_server.events.model import EPOCH_LENGTH, new_epoch

_BEGIN = 9  # a cursor is 8 digits of its scope, the epoch, and the offset
_OWN_CURSORS = ("context_projections", "dispatcher_turns")


def new_history() -> Iterator[tuple[str, dict[str, str]]]:
    """The statements, each with its values; all of them are one transaction's."""
    values: dict[str, str] = {"epoch": new_epoch()}
    for table in _OWN_CURSORS:
        yield (
            f"UPDATE {table} SET cursor = substr(cursor, 1, {_BEGIN - 1}) || :epoch || "
            f"substr(cursor, {_BEGIN + EPOCH_LENGTH}) WHERE substr(cursor, {_BEGIN}, "
            f"{EPOCH_LENGTH}) IN (SELECT epoch FROM events_scopes)",
            values,
        )
    yield "UPDATE events_scopes SET epoch = :epoch", values
